"""Addresses, network interfaces, volumes."""

import ipaddress

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.responses import EC2Response

from .tools import Refused, around, before


def own_groups(eni):
    """The groups of an instance are those of its first interface; one beside it has its own."""
    first = eni.instance and str(eni.device_index) == "0"
    return list(eni.instance.security_groups or eni._group_set) if first else eni._group_set


NetworkInterface.group_set = property(own_groups)


@before(EC2Response, "ReleaseAddress")
def _(self):
    for address in self.ec2_backend.addresses:
        if address.allocation_id == self._get_param("AllocationId") and address.association_id:
            raise Refused("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")


@before(EC2Response, "CreateNetworkInterface")
def _(self):
    backend, ip = self.ec2_backend, self._get_param("PrivateIpAddress")
    if not ip:
        return
    subnet = backend.get_subnet(self._get_param("SubnetId"))
    if ipaddress.ip_address(ip) not in ipaddress.ip_network(subnet.cidr_block):
        raise Refused("InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range")
    if any(eni.subnet.id == subnet.id and eni.private_ip_address == ip for eni in backend.enis.values()):
        raise Refused("InvalidIPAddress.InUse", f"Address {ip} is in use.")


@before(EC2Response, "DeleteNetworkInterface")
def _(self):
    eni = self.ec2_backend.enis.get(self._get_param("NetworkInterfaceId"))
    if eni and eni.instance:
        raise Refused("InvalidNetworkInterface.InUse", f"Network interface '{eni.id}' is currently in use.")


@around(EC2Backend, "modify_instance_security_groups")
def _(original, self, instance_id, groups):
    """The groups of an instance are those of its first interface."""
    instance = original(instance_id, groups)
    if 0 in instance.nics:
        instance.nics[0]._group_set = list(instance.security_groups)
    return instance


@around(EC2Backend, "modify_network_interface_attribute")
def _(original, self, eni_id, group_ids, *args, **kwargs):
    """The other way round."""
    answer = original(eni_id, group_ids, *args, **kwargs)
    eni = self.get_network_interface(eni_id)
    if group_ids and eni.instance and eni.instance.nics.get(0) is eni:
        eni.instance.security_groups = list(eni._group_set)
    return answer


@around(Instance, "terminate")
def _(original, self):
    """Interfaces that the instance was started with go with it; others are detached."""
    state = original()
    for nic in list(self.nics.values()):
        if nic.description == "Primary network interface":
            self.ec2_backend.enis.pop(nic.id, None)
            nic.subnet.del_subnet_ip(nic.private_ip_address)
            for address in self.ec2_backend.addresses:
                if address.eni is nic:
                    address.association_id = address.instance = address.eni = None
        elif nic.id in self.ec2_backend.enis:
            self.detach_eni(nic)
    return state


@before(EC2Response, "AttachVolume")
def _(self):
    backend, device = self.ec2_backend, self._get_param("Device")
    volume, instance = backend.get_volume(self._get_param("VolumeId")), backend.get_instance(self._get_param("InstanceId"))
    if volume.attachment:
        raise Refused("VolumeInUse", f"{volume.id} is already attached to an instance")
    if volume.zone.name != instance.placement.zone:
        raise Refused("InvalidVolume.ZoneMismatch", f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'")
    if device in instance.block_device_mapping:
        raise Refused("InvalidParameterValue", f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use")


@before(EC2Response, "DetachVolume")
def _(self):
    volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
    if not volume.attachment:
        raise Refused("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")


@around(EC2Backend, "create_volume")
def _(original, self, *args, **kwargs):
    volume = original(*args, **kwargs)
    if volume.volume_type == "gp3" and not volume.throughput:
        volume.throughput = 125
    return volume
