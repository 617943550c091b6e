//! One call: the request tree becomes the SDK's operation, which is sent once.

use std::time::{Duration, SystemTime};

use aws_sdk_ec2::Client;
use aws_smithy_async::time::StaticTimeSource;
use provision_core::call::{Answer, Refusal, Sending, ServerTime};
use provision_core::value::Fields;

use super::answer::{Made, Probe};
use super::request::{BadRequest, Take};

/// Sends the call, once, signed with its stamp.
pub(crate) async fn call(client: &Client, sending: &Sending) -> Answer {
    dispatch(client, sending).await.unwrap_or_else(|problem| Answer::Refused {
        refusal: Refusal::Invalid,
        code: "BadRequest".to_owned(),
        message: format!("{}: {problem} (not sent)", sending.call.api),
        server_time: None,
    })
}

/// Everything of the SDK that asks what time it is gets the stamp: signing, above all.
fn pinned(stamp: ServerTime) -> aws_sdk_ec2::config::Builder {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(stamp.0 / 1000);
    aws_sdk_ec2::config::Builder::new().time_source(StaticTimeSource::new(time))
}

/// Checks that every parameter was taken, sends, and classifies.
macro_rules! send {
    ($sending:expr, $take:expr, $operation:expr, $made:expr) => {{
        let operation = $operation;
        $take.finish()?;
        let probe = Probe::default();
        let customized = operation.customize().config_override(pinned($sending.stamp)).interceptor(probe.clone());
        match customized.send().await {
            Ok(output) => probe.done($made(output)),
            Err(error) => probe.failed(&error),
        }
    }};
}

fn object(id: Option<String>) -> Made {
    Made::Object { id, outputs: Fields::new() }
}

async fn dispatch(client: &Client, sending: &Sending) -> Result<Answer, BadRequest> {
    let mut take = Take::new(&sending.call.request)?;
    let api = sending.call.api.as_str();
    Ok(match api {
        "CreateVpc" | "CreateSubnet" | "CreateSecurityGroup" | "RunInstances" => create(client, sending, take).await?,
        "ModifyVpcAttribute" => {
            let operation = client
                .modify_vpc_attribute()
                .set_vpc_id(take.text("VpcId")?)
                .set_enable_dns_support(take.boolean("EnableDnsSupport")?)
                .set_enable_dns_hostnames(take.boolean("EnableDnsHostnames")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "ModifySubnetAttribute" => {
            let operation = client
                .modify_subnet_attribute()
                .set_subnet_id(take.text("SubnetId")?)
                .set_map_public_ip_on_launch(take.boolean("MapPublicIpOnLaunch")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "ModifyInstanceAttribute" => {
            let operation = client
                .modify_instance_attribute()
                .set_instance_id(take.text("InstanceId")?)
                .set_groups(take.texts("Groups")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "AuthorizeSecurityGroupIngress" => {
            let operation = client
                .authorize_security_group_ingress()
                .set_group_id(take.text("GroupId")?)
                .set_ip_permissions(take.permissions()?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "AuthorizeSecurityGroupEgress" => {
            let operation = client
                .authorize_security_group_egress()
                .set_group_id(take.text("GroupId")?)
                .set_ip_permissions(take.permissions()?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "RevokeSecurityGroupIngress" => {
            let operation = client
                .revoke_security_group_ingress()
                .set_group_id(take.text("GroupId")?)
                .set_ip_permissions(take.permissions()?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "RevokeSecurityGroupEgress" => {
            let operation = client
                .revoke_security_group_egress()
                .set_group_id(take.text("GroupId")?)
                .set_ip_permissions(take.permissions()?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "CreateTags" => {
            let operation = client.create_tags().set_resources(take.texts("Resources")?).set_tags(take.tags()?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "DeleteTags" => {
            let operation = client.delete_tags().set_resources(take.texts("Resources")?).set_tags(take.tags()?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "DeleteVpc" => {
            let operation = client.delete_vpc().set_vpc_id(take.text("VpcId")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "DeleteSubnet" => {
            let operation = client.delete_subnet().set_subnet_id(take.text("SubnetId")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "DeleteSecurityGroup" => {
            let operation = client.delete_security_group().set_group_id(take.text("GroupId")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        "TerminateInstances" => {
            let operation = client.terminate_instances().set_instance_ids(take.texts("InstanceIds")?);
            send!(sending, take, operation, |_| Made::Nothing)
        }
        _ => return Err("this build does not know the call".to_owned()),
    })
}

/// The calls that answer with a new object.
async fn create(client: &Client, sending: &Sending, mut take: Take<'_>) -> Result<Answer, BadRequest> {
    use aws_sdk_ec2::operation::{
        create_security_group::CreateSecurityGroupOutput, create_subnet::CreateSubnetOutput,
        create_vpc::CreateVpcOutput, run_instances::RunInstancesOutput,
    };
    Ok(match sending.call.api.as_str() {
        "CreateVpc" => {
            let operation = client
                .create_vpc()
                .set_cidr_block(take.text("CidrBlock")?)
                .set_tag_specifications(take.tag_specifications()?);
            let made = |output: CreateVpcOutput| object(output.vpc.and_then(|vpc| vpc.vpc_id));
            send!(sending, take, operation, made)
        }
        "CreateSubnet" => {
            let operation = client
                .create_subnet()
                .set_vpc_id(take.text("VpcId")?)
                .set_cidr_block(take.text("CidrBlock")?)
                .set_availability_zone(take.text("AvailabilityZone")?)
                .set_tag_specifications(take.tag_specifications()?);
            let made = |output: CreateSubnetOutput| object(output.subnet.and_then(|subnet| subnet.subnet_id));
            send!(sending, take, operation, made)
        }
        "CreateSecurityGroup" => {
            let operation = client
                .create_security_group()
                .set_vpc_id(take.text("VpcId")?)
                .set_group_name(take.text("GroupName")?)
                .set_description(take.text("Description")?)
                .set_tag_specifications(take.tag_specifications()?);
            send!(sending, take, operation, |output: CreateSecurityGroupOutput| object(output.group_id))
        }
        _ => {
            let kind = take.text("InstanceType")?.map(|kind| kind.as_str().into());
            let operation = client
                .run_instances()
                .set_image_id(take.text("ImageId")?)
                .set_instance_type(kind)
                .set_subnet_id(take.text("SubnetId")?)
                .set_security_group_ids(take.texts("SecurityGroupIds")?)
                .set_user_data(take.text("UserData")?)
                .set_key_name(take.text("KeyName")?)
                .set_min_count(take.int("MinCount")?)
                .set_max_count(take.int("MaxCount")?)
                .set_client_token(take.text("ClientToken")?)
                .set_tag_specifications(take.tag_specifications()?);
            send!(sending, take, operation, |output: RunInstancesOutput| {
                let instance = output.instances.unwrap_or_default().into_iter().next();
                let (id, ip) = instance.map_or((None, None), |it| (it.instance_id, it.private_ip_address));
                let outputs = ip.into_iter().map(|ip| ("private_ip".to_owned(), ip.into())).collect();
                Made::Object { id, outputs }
            })
        }
    })
}
