//! Takes a request tree apart: each parameter once, and none left over.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, Tag, TagSpecification,
    UserIdGroupPair,
};
use provision_core::value::Value;

/// A request that does not fit its API: a bug of the pure half, or a call of a newer version.
pub(crate) type BadRequest = String;

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

    fn take<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, BadRequest> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| format!("the parameter `{name}` is {kind}")),
        }
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, BadRequest> {
        self.take(name, "a text", |value| value.as_text().map(str::to_owned))
    }

    pub(crate) fn int(&mut self, name: &str) -> Result<Option<i32>, BadRequest> {
        self.take(name, "a whole number of 32 bits", |value| value.as_int().and_then(|n| n.try_into().ok()))
    }

    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, BadRequest> {
        self.take(name, "a list of texts", |value| {
            value.as_list()?.iter().map(|item| item.as_text().map(str::to_owned)).collect()
        })
    }

    /// A boolean in the structure that EC2's attribute calls want.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<AttributeBooleanValue>, BadRequest> {
        let Some(value) = self.take(name, "a structure", Some)? else { return Ok(None) };
        let mut inner = Take::new(value)?;
        let boolean = inner.take("Value", "true or false", Value::as_bool)?;
        inner.finish()?;
        Ok(Some(AttributeBooleanValue::builder().set_value(boolean).build()))
    }

    /// A list of structures, each taken apart by `f`.
    fn each<T>(
        &mut self,
        name: &str,
        f: impl Fn(&mut Self) -> Result<T, BadRequest>,
    ) -> Result<Option<Vec<T>>, BadRequest> {
        let Some(list) = self.take(name, "a list", Value::as_list)? else { return Ok(None) };
        let items = list.iter().map(|value| {
            let mut inner = Take::new(value)?;
            let item = f(&mut inner)?;
            inner.finish()?;
            Ok(item)
        });
        items.collect::<Result<_, BadRequest>>().map(Some)
    }

    pub(crate) fn tags(&mut self) -> Result<Option<Vec<Tag>>, BadRequest> {
        self.each("Tags", |tag| Ok(Tag::builder().set_key(tag.text("Key")?).set_value(tag.text("Value")?).build()))
    }

    pub(crate) fn tag_specifications(&mut self) -> Result<Option<Vec<TagSpecification>>, BadRequest> {
        self.each("TagSpecifications", |specification| {
            let kind = specification.text("ResourceType")?.map(|kind| ResourceType::from(kind.as_str()));
            Ok(TagSpecification::builder().set_resource_type(kind).set_tags(specification.tags()?).build())
        })
    }

    pub(crate) fn permissions(&mut self) -> Result<Option<Vec<IpPermission>>, BadRequest> {
        self.each("IpPermissions", |permission| {
            let v4 = |range: &mut Take<'_>| Ok(IpRange::builder().set_cidr_ip(range.text("CidrIp")?).build());
            let v6 = |range: &mut Take<'_>| Ok(Ipv6Range::builder().set_cidr_ipv6(range.text("CidrIpv6")?).build());
            let group =
                |pair: &mut Take<'_>| Ok(UserIdGroupPair::builder().set_group_id(pair.text("GroupId")?).build());
            let list = |list: &mut Take<'_>| {
                Ok(PrefixListId::builder().set_prefix_list_id(list.text("PrefixListId")?).build())
            };
            Ok(IpPermission::builder()
                .set_ip_protocol(permission.text("IpProtocol")?)
                .set_from_port(permission.int("FromPort")?)
                .set_to_port(permission.int("ToPort")?)
                .set_ip_ranges(permission.each("IpRanges", v4)?)
                .set_ipv6_ranges(permission.each("Ipv6Ranges", v6)?)
                .set_user_id_group_pairs(permission.each("UserIdGroupPairs", group)?)
                .set_prefix_list_ids(permission.each("PrefixListIds", list)?)
                .build())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn nothing_is_dropped_at_any_depth() {
        let unknown = tree(r#"{"VpcId":"v","Odd":1}"#);
        let mut take = Take::new(&unknown).unwrap();
        assert_eq!(take.text("VpcId"), Ok(Some("v".to_owned())));
        assert!(take.finish().unwrap_err().contains("`Odd`"));

        let deep = tree(r#"{"IpPermissions":[{"IpRanges":[{"CidrIp":"::/0","Description":"x"}]}]}"#);
        assert!(Take::new(&deep).unwrap().permissions().unwrap_err().contains("`Description`"));
        let attribute = tree(r#"{"EnableDnsSupport":{"Value":true,"Odd":1}}"#);
        assert!(Take::new(&attribute).unwrap().boolean("EnableDnsSupport").is_err());
    }

    #[test]
    fn what_has_the_wrong_kind_is_refused() {
        let wrong = tree(r#"{"MinCount":"one","ImageId":5,"Groups":["a",1]}"#);
        let mut take = Take::new(&wrong).unwrap();
        assert!(take.int("MinCount").is_err());
        assert!(take.text("ImageId").is_err());
        assert!(take.texts("Groups").is_err());
    }
}
