//! Takes a request tree apart: each parameter once, and none left over.

use std::collections::BTreeMap;

use aws_smithy_types::Blob;
use provision_core::value::Value;

/// A request that does not fit its API: a bug of the pure half, or a call of a newer version.
pub(crate) type BadRequest = String;

/// What a parameter can be.
pub(crate) trait Param: Sized {
    /// What is expected, in words.
    const KIND: &'static str;

    /// The parameter, if the value is one.
    ///
    /// # Errors
    /// What is wrong inside; nothing is said where the value as a whole is not a [`Self::KIND`].
    fn param(value: &Value) -> Result<Option<Self>, BadRequest>;
}

/// A structure whose parameters are taken one by one.
pub(crate) struct Take<'a> {
    left: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Take<'a> {
    pub(crate) fn new(value: &'a Value) -> Result<Self, BadRequest> {
        let map = value.as_map().ok_or("a request is a structure")?;
        Ok(Self { left: map.iter().map(|(name, value)| (name.as_str(), value)).collect() })
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<(), BadRequest> {
        match self.left.keys().next() {
            Some(name) => Err(format!("this build does not know the parameter `{name}` of the call")),
            None => Ok(()),
        }
    }

    /// The parameter of that name, if it is given.
    pub(crate) fn get<T: Param>(&mut self, name: &str) -> Result<Option<T>, BadRequest> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => {
                let param = T::param(value).map_err(|problem| format!("in `{name}`: {problem}"))?;
                param.map(Some).ok_or_else(|| format!("the parameter `{name}` is {}", T::KIND))
            }
        }
    }
}

impl Param for String {
    const KIND: &'static str = "a text";

    fn param(value: &Value) -> Result<Option<Self>, BadRequest> {
        Ok(value.as_text().map(str::to_owned))
    }
}

impl Param for Blob {
    const KIND: &'static str = "a text";

    fn param(value: &Value) -> Result<Option<Self>, BadRequest> {
        Ok(value.as_text().map(Self::new))
    }
}

impl Param for bool {
    const KIND: &'static str = "true or false";

    fn param(value: &Value) -> Result<Option<Self>, BadRequest> {
        Ok(value.as_bool())
    }
}

impl Param for i32 {
    const KIND: &'static str = "a whole number of 32 bits";

    fn param(value: &Value) -> Result<Option<Self>, BadRequest> {
        Ok(value.as_int().and_then(|n| n.try_into().ok()))
    }
}

impl Param for i64 {
    const KIND: &'static str = "a whole number of 64 bits";

    fn param(value: &Value) -> Result<Option<Self>, BadRequest> {
        Ok(value.as_int())
    }
}

impl<T: Param> Param for Vec<T> {
    const KIND: &'static str = "a list";

    fn param(value: &Value) -> Result<Option<Self>, BadRequest> {
        let Some(list) = value.as_list() else { return Ok(None) };
        let item = |item| T::param(item)?.ok_or_else(|| format!("an item is {}", T::KIND));
        list.iter().map(item).collect::<Result<_, _>>().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{AttributeBooleanValue, IpPermission};

    use super::*;

    fn tree(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn nothing_is_dropped_at_any_depth() {
        let unknown = tree(r#"{"VpcId":"v","Odd":1}"#);
        let mut take = Take::new(&unknown).unwrap();
        assert_eq!(take.get("VpcId"), Ok(Some("v".to_owned())));
        assert!(take.finish().unwrap_err().contains("`Odd`"));

        let deep = tree(r#"{"IpPermissions":[{"IpRanges":[{"CidrIp":"::/0","Description":"x"}]}]}"#);
        let problem = Take::new(&deep).unwrap().get::<Vec<IpPermission>>("IpPermissions").unwrap_err();
        assert!(problem.contains("`Description`") && problem.contains("`IpRanges`"), "{problem}");
        let attribute = tree(r#"{"EnableDnsSupport":{"Value":true,"Odd":1}}"#);
        assert!(Take::new(&attribute).unwrap().get::<AttributeBooleanValue>("EnableDnsSupport").is_err());
    }

    #[test]
    fn what_has_the_wrong_kind_is_refused() {
        let wrong = tree(r#"{"MinCount":"one","ImageId":5,"Groups":["a",1],"Range":{}}"#);
        let mut take = Take::new(&wrong).unwrap();
        assert!(take.get::<i32>("MinCount").unwrap_err().contains("whole number"));
        assert!(take.get::<String>("ImageId").is_err());
        assert!(take.get::<Vec<String>>("Groups").is_err());
        assert!(take.get::<Vec<String>>("Range").is_err());
    }
}
