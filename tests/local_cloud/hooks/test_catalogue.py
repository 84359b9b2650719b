"""moto changes under the hooks: then this fails first, and names the method."""

import importlib
import inspect
import pickle
import pkgutil

import moto
import pytest
from moto import mock_aws
from moto.backends import get_backend

from local_cloud import hooks
from local_cloud.daemon.api import ForInstances
from local_cloud.hooks import catalogue, kept

# As in moto 5.2.5. Where one differs, read moto's change, mend the hook, then this table.
SIGNATURES: dict[str, str] = {
    'EC2Backend.create_default_vpc': 'self',
    'moto.ec2.models.elastic_network_interfaces.random_public_ip': '',
    'EC2Response.run_instances': 'self',
    'EC2Backend.run_instances': 'self, image_id, count, user_data, security_group_names, **kwargs',
    'EC2Backend.start_instances': 'self, instance_ids',
    'EC2Backend.stop_instances': 'self, instance_ids',
    'EC2Backend.reboot_instances': 'self, instance_ids',
    'EC2Backend.terminate_instances': 'self, instance_ids',
    'EC2Backend.modify_instance_metadata_options': 'self, instance_id, http_tokens=None, hop_limit=None, http_endpoint=None, dry_run=False, http_protocol=None, metadata_tags=None',  # noqa: E501
    'EC2Response.get_console_output': 'self',
    'Ami.__init__': "self, ec2_backend, ami_id, instance=None, source_ami=None, name=None, description=None, owner_id=None, owner_alias=None, public=False, virtualization_type=None, architecture=None, state='available', creation_date=None, platform=None, image_type='machine', image_location=None, hypervisor=None, root_device_type='standard', root_device_name='/dev/sda1', sriov='simple', region_name='us-east-1a', snapshot_description=None, product_codes=None, boot_mode='uefi', tags=None",  # noqa: E501
    'EC2Response.create_image': 'self',
    'EC2Backend.copy_image': 'self, source_image_id, source_region, name=None, description=None',
    'EC2Backend.register_image': 'self, name=None, description=None',
    'EC2Backend.deregister_image': 'self, ami_id',
    'EC2Response.deregister_image': 'self',
    'EC2Response.describe_instances': 'self',
    'EC2Response.create_launch_template_version': 'self',
    'EC2Response.describe_launch_template_versions': 'self',
    'EC2Response.describe_launch_templates': 'self',
    'LaunchTemplate.get_version': 'self, num',
    'LaunchTemplate.latest_version': 'self',
    'EC2Backend.describe_launch_template_versions': 'self, template_name, template_id, versions, min_version, max_version, max_results',  # noqa: E501
    'S3Response.put_object': 'self',
    'DynamoHandler.put_item': 'self',
    'BaseResponse._dispatch': 'self, request, full_url=None, headers=None',
    'BaseResponse.call_action': 'self',
    'S3Response.bucket_response': 'self, request, full_url, headers',
    'S3Response.key_response': 'self, request, full_url, headers',
    "QueryParser._default_handle": "self, shape, value, prefix=''",
    "RestXMLParser._parse_string": "self, shape, node_or_string",
    'QueryParser._parse_boolean': "self, shape, query_params, prefix=''",
    'QueryParser._parse_double': "self, shape, query_params, prefix=''",
    'QueryParser._parse_float': "self, shape, query_params, prefix=''",
    'QueryParser._parse_integer': "self, shape, query_params, prefix=''",
    'QueryParser._parse_long': "self, shape, query_params, prefix=''",
    'ELBv2Backend.create_load_balancer': "self, name, security_groups, subnet_ids, subnet_mappings=None, scheme='internet-facing', loadbalancer_type=None, ip_address_type='ipv4', tags=None",  # noqa: E501
    'ELBv2Backend.delete_load_balancer': 'self, arn',
    'ELBv2Backend.create_listener': 'self, load_balancer_arn, protocol, port, ssl_policy, certificate, actions, alpn_policy=None, tags=None',  # noqa: E501
    'ELBv2Backend.modify_listener': 'self, arn, port=None, protocol=None, ssl_policy=None, certificates=None, actions=None',  # noqa: E501
    'ELBv2Backend.delete_listener': 'self, listener_arn',
    'ELBv2Backend.create_rule': 'self, listener_arn, conditions, priority, actions, tags=None',
    'ELBv2Backend.create_target_group': 'self, name, **kwargs',
    'ELBv2Backend.modify_target_group': 'self, arn, health_check_proto=None, health_check_port=None, health_check_path=None, health_check_interval=None, health_check_timeout=None, healthy_threshold_count=None, unhealthy_threshold_count=None, http_codes=None, health_check_enabled=None',  # noqa: E501
    'ELBv2Backend.register_targets': 'self, target_group_arn, instances',
    'ELBv2Backend.deregister_targets': 'self, target_group_arn, instances',
    'ELBv2Backend.notify_terminate_instances': 'self, instance_ids',
    'ELBv2Backend.describe_target_health': 'self, target_group_arn, targets',
    'ELBBackend.create_load_balancer': "self, name, zones, ports, scheme='internet-facing', subnets=None, security_groups=None",  # noqa: E501
    'ELBBackend.delete_load_balancer': 'self, load_balancer_name',
    'ELBBackend.register_instances': 'self, load_balancer_name, instance_ids, from_autoscaling=False',
    'ELBBackend.deregister_instances': 'self, load_balancer_name, instance_ids, from_autoscaling=False',
    'ELBResponse.describe_instance_health': 'self',
    'AutoScalingBackend.__init__': 'self, region_name, account_id',
    'AutoScalingBackend.create_auto_scaling_group': 'self, name, availability_zones, desired_capacity, max_size, min_size, launch_config_name, launch_template, vpc_zone_identifier, default_cooldown, health_check_period, health_check_type, load_balancers, target_group_arns, placement_group, termination_policies, tags, capacity_rebalance=False, new_instances_protected_from_scale_in=False, instance_id=None, mixed_instances_policy=None',  # noqa: E501
    'AutoScalingBackend.update_auto_scaling_group': 'self, name, availability_zones, desired_capacity, max_size, min_size, launch_config_name, launch_template, vpc_zone_identifier, health_check_period, health_check_type, new_instances_protected_from_scale_in=None, mixed_instances_policy=None',  # noqa: E501
    'AutoScalingResponse.describe_auto_scaling_groups': 'self',
    'AutoScalingResponse.create_auto_scaling_group': 'self',
    'AutoScalingResponse.update_auto_scaling_group': 'self',
    'AutoScalingBackend.put_scheduled_update_group_action': 'self, name, desired_capacity, max_size, min_size, scheduled_action_name, start_time, end_time, recurrence, timezone',  # noqa: E501
    'AutoScalingBackend.delete_scheduled_action': 'self, auto_scaling_group_name, scheduled_action_name',
    'AutoScalingBackend.put_scaling_policy': 'self, name, policy_type, metric_aggregation_type, adjustment_type, as_name, min_adjustment_magnitude, scaling_adjustment, cooldown, target_tracking_config, step_adjustments, estimated_instance_warmup, predictive_scaling_configuration',  # noqa: E501
    'AutoScalingResponse.put_scaling_policy': 'self',
    'AutoScalingResponse.delete_policy': 'self',
    'AutoScalingResponse.execute_policy': 'self',
    'AutoScalingBackend.set_desired_capacity': 'self, group_name, desired_capacity',
    'FakeAutoScalingGroup.set_desired_capacity': 'self, new_capacity',
    'AutoScalingBackend.update_attached_elbs': 'self, group_name',
    'AutoScalingBackend.update_attached_target_groups': 'self, group_name',
    'AutoScalingResponse.delete_auto_scaling_group': 'self',
    'FakeAutoScalingGroup.launch_template': 'self',
    'InstanceState.launch_template': 'self',
    'InstanceState.launch_configuration_name': 'self',
    'AutoScalingBackend.create_launch_configuration': 'self, name, image_id, key_name, kernel_id, ramdisk_id, security_groups, user_data, instance_type, instance_monitoring, instance_profile_name, spot_price, ebs_optimized, associate_public_ip_address, block_device_mappings, instance_id=None, metadata_options=None, classic_link_vpc_id=None, classic_link_vpc_security_groups=None',  # noqa: E501
    'AutoScalingBackend.delete_launch_configuration': 'self, launch_configuration_name',
    'AutoScalingResponse.describe_scaling_activities': 'self',
    'AutoScalingBackend.resume_processes': 'self, group_name, scaling_processes',
    'AutoScalingBackend.suspend_processes': 'self, group_name, scaling_processes',
    'AutoScalingBackend.attach_instances': 'self, group_name, instance_ids',
    'AutoScalingBackend.detach_instances': 'self, group_name, instance_ids, should_decrement',
    'AutoScalingBackend.enter_standby_instances': 'self, group_name, instance_ids, should_decrement',
    'AutoScalingBackend.exit_standby_instances': 'self, group_name, instance_ids',
    'AutoScalingBackend.terminate_instance': 'self, instance_id, should_decrement',
    'AutoScalingBackend.notify_terminate_instances': 'self, instance_ids',
    'AutoScalingResponse.set_instance_health': 'self',
    'AutoScalingBackend.set_instance_protection': 'self, group_name, instance_ids, protected_from_scale_in',
    'AutoScalingBackend.put_warm_pool': 'self, group_name, max_group_prepared_capacity, min_size, pool_state, instance_reuse_policy',  # noqa: E501
    'AutoScalingResponse.describe_warm_pool': 'self',
    'AutoScalingResponse.delete_warm_pool': 'self',
    'AutoScalingBackend.describe_auto_scaling_instances': 'self, instance_ids',
    'AutoScalingBackend.attach_load_balancer_target_groups': 'self, group_name, target_group_arns',
    'AutoScalingBackend.attach_load_balancers': 'self, group_name, load_balancer_names',
}  # fmt: skip


HOOKS = [each for table in catalogue.ALL for each in table.hooks]
ADDITIONS = [each for table in catalogue.ALL for each in table.additions]


def signatures() -> dict[str, str]:
    found = {}
    for owner, name, _ in HOOKS:
        hooked = getattr(owner, name)
        parameters = inspect.signature(getattr(hooked, "fget", hooked)).parameters.values()
        told = [str(each.replace(annotation=inspect.Parameter.empty)) for each in parameters]
        found[f"{owner.__name__}.{name}"] = ", ".join(told)
    return found


def test_moto_is_of_the_series_that_the_hooks_are_written_for() -> None:
    assert moto.__version__.startswith(catalogue.SERIES)


def test_every_hooked_method_is_as_it_was_when_its_hook_was_written() -> None:
    assert signatures() == SIGNATURES


def test_every_addition_is_still_absent_from_moto() -> None:
    assert [name for owner, name, _ in ADDITIONS if hasattr(owner, name)] == []


def test_every_modules_hooks_are_in_the_catalogue() -> None:
    modules = [
        importlib.import_module(f"{hooks.__name__}.{each.name}") for each in pkgutil.iter_modules(hooks.__path__)
    ]

    assert {id(each.HOOKS) for each in modules if hasattr(each, "HOOKS")} == {id(each) for each in catalogue.ALL}


def test_every_hook_says_which_gap_it_closes() -> None:
    assert [function.__name__ for _, _, function in HOOKS + ADDITIONS if not function.__doc__] == []


def test_a_service_whose_state_cannot_be_pickled_is_not_kept() -> None:
    with mock_aws():
        get_backend("lambda")["123456789012"]["eu-west-1"].list_functions()
        get_backend("ec2")["123456789012"]["eu-west-1"].create_key_pair("kept", "rsa", {})

        found = pickle.loads(pickle.dumps(kept.collect()))  # noqa: S301 - our own

    assert "lambda" not in found["services"]
    assert list(found["services"]["ec2"]["123456789012"]["eu-west-1"].key_pairs) == ["kept"]


def test_the_actions_are_those_of_all_services_and_of_our_additions() -> None:
    asked = {"DescribeInstances", "RegisterTargets", "SetDesiredCapacity", "PutItem", "GetCallerIdentity", "GetObject"}
    assert asked | {"PutMetricAlarm", "RegisterInstancesWithLoadBalancer"} <= kept.actions()


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/bucket/key"), ("POST", "/"), ("GET", "/"), ("GET", "/bakeroll/status"),
                         ("POST", "/bakeroll/faults"), ("GET", "/bakeroll/calls"), ("GET", "/moto-api/data.json")],
)  # fmt: skip
def test_instances_may_but_read_buckets(method: str, path: str) -> None:
    said: list[str] = []

    ForInstances(None)({"REQUEST_METHOD": method, "PATH_INFO": path}, lambda status, _: said.append(status))  # type: ignore[arg-type]

    assert said == ["403 Forbidden"]
