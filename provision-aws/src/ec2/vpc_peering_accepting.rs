//! The operations of the end of a peering connection that accepts: see [`VpcPeeringAccepter`](super::vpc_peering::VpcPeeringAccepter).

apis! { aws_sdk_ec2 ec2;
    AcceptVpcPeeringConnection: NaturalKey, "a connection is accepted once; a second time is refused";
        (VpcPeeringConnectionId) -> (VpcPeeringConnection);
    ModifyVpcPeeringConnectionOptions: Set, "sets an option to a value";
        (VpcPeeringConnectionId, AccepterPeeringConnectionOptions) -> ();
    DeleteVpcPeeringConnection: Remove, "ids are never used again; one that the other end deleted is InvalidStateTransition",
        ["InvalidStateTransition" => AlreadySo]; (VpcPeeringConnectionId) -> ();
}
