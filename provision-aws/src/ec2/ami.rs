//! Machine images: looked up, never made here.

use provision_core::call::Observed;
use provision_core::dsl::{Input, IntoInput, KnownInput};
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::value::Value;

use super::list::{filter, pattern};
use crate::Aws;
use crate::table::Source;
use crate::table::calls::{Given, field};
use crate::table::reading::{Request, detail, parameters};
use crate::table::shown::Shown;

/// A machine image that somebody offers, is there to be used, and is not deprecated.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>) {
/// let image = b.find("image", Ami { owner: "099720109477" }).name("ubuntu/images/*-24.04-amd64-server-*").newest(true);
/// b.put("web", Instance { subnet, ami: image, instance_type: "t3.micro" });
/// # }
/// ```
#[data_source(cloud = Aws, kind = "aws_ami")]
pub struct Ami {
    /// Whose it is: an account, or `amazon`.
    pub owner: String,
    /// Its name; `*` stands for anything, `?` for one character.
    pub name: Option<String>,
    /// `x86_64` or `arm64`.
    pub architecture: Option<String>,
    /// Whether the newest one is meant where several fit: the one that was made last, and of several of one moment the one
    /// with the last id.
    #[attr(default = false)]
    pub newest: bool,
    /// Its id.
    #[attr(computed)]
    pub id: AmiId,
}

impl<D> IntoInput<AmiId, D> for &str {
    fn into_input(self) -> Input {
        self.into()
    }
}

impl<D> IntoInput<AmiId, D> for String {
    fn into_input(self) -> Input {
        self.into()
    }
}

impl KnownInput<AmiId> for &str {
    fn into_known(self) -> Input {
        self.into()
    }
}

apis! { aws_sdk_ec2 ec2;
    DescribeImages: Read, ""; (Owners, Filters) -> (Images);
}
shapes! { aws_sdk_ec2;
    text ArchitectureValues;
    shown Image(ImageId, Name, OwnerId, Architecture, CreationDate);
}

pub(crate) static SOURCE: Source = Source { schema: Ami::SCHEMA, apis: APIS, request, found };

/// Asked for without a size of pages, EC2 answers all at once.
fn request(query: Given<'_>) -> Result<Request, String> {
    let mut filters = vec![filter("state", "available")];
    filters.extend(query.optional_text("name")?.map(|name| pattern("name", name)));
    filters.extend(query.optional_text("architecture")?.map(|one| filter("architecture", one)));
    let owners = Value::List(vec![query.text("owner")?.into()]);
    let parameters = parameters([("Owners", Some(owners)), ("Filters", Some(Value::List(filters)))]);
    Ok(Request { api: "DescribeImages", parameters })
}

/// `CreationDate` is a time in ISO 8601, in UTC, always as long, so it compares as a text:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html>.
fn found(query: Given<'_>, answer: Shown<'_>) -> Vec<Observed> {
    let image = |image: Shown<'_>| {
        let id = ObjectId::new(image.text("ImageId")?).ok()?;
        let mut fields = field("id", id.as_str());
        for (name, shown) in [("owner", "OwnerId"), ("name", "Name"), ("architecture", "Architecture")] {
            fields.extend(image.text(shown).map(|value| field(name, value)).unwrap_or_default());
        }
        let made = image.text("CreationDate").unwrap_or_default().to_owned();
        Some((made, detail(&id, fields)))
    };
    let mut images: Vec<(String, Observed)> = answer.list("Images").filter_map(image).collect();
    if query.0.get("newest").and_then(Value::as_bool) == Some(true) {
        let newest = images.into_iter().max_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.id.cmp(&other.id)));
        images = newest.into_iter().collect();
    }
    images.into_iter().map(|(_, image)| image).collect()
}

#[cfg(test)]
mod tests {
    use provision_core::value::Fields;

    use super::*;

    fn query(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_newest_is_the_one_that_was_made_last_and_of_those_the_last_id() {
        let answer: Value = serde_json::from_str(
            r#"{"Images":[{"ImageId":"ami-3","Name":"a-1","CreationDate":"2024-01-01T00:00:00.000Z"},
                {"ImageId":"ami-1","Name":"a-2","CreationDate":"2024-03-01T00:00:00.000Z"},
                {"ImageId":"ami-2","Name":"a-3","CreationDate":"2024-03-01T00:00:00.000Z"},
                {"ImageId":"ami-4","Name":"a-0"}]}"#,
        )
        .unwrap();
        let ids = |query: &Fields| -> Vec<String> {
            found(Given(query), Shown(Some(&answer))).iter().map(|image| image.id.to_string()).collect()
        };
        assert_eq!(ids(&query(r#"{"owner":"1","newest":true}"#)), ["ami-2"]);
        assert_eq!(ids(&query(r#"{"owner":"1","newest":false}"#)).len(), 4, "which one is meant, nobody said");
    }

    #[test]
    fn a_name_is_a_pattern_and_nothing_else_is() {
        let asked = query(r#"{"owner":"1","name":"ubuntu/*-24.04-*","architecture":"x86_64","newest":true}"#);
        let request = request(Given(&asked)).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&request.parameters).unwrap());
        let nothing = query(r#"{"owner":"1","name":null}"#);
        let only_state = super::request(Given(&nothing)).unwrap();
        assert_eq!(serde_json::to_string(&only_state.parameters).unwrap().matches("Name").count(), 1);
    }
}
