"""The cloud inside this machine: moto's AWS API, with real machines behind it.

`client` is what the tasks call; it starts `daemon`, one process that serves the API and keeps
- `network`: the bridge, and a network namespace for each instance; `packet_filter`: what they may ask of this machine;
- `images`: AMIs as stacks of overlay layers; `source_image` builds the first one;
- `machines`: the instances, each a Debian with systemd in namespaces of its own;
- `metadata` and `proxy`: what an instance finds at 169.254.169.254;
- `balancer` and `haproxy`: a haproxy for each load balancer, and `addresses` for them to answer at;
- `scaling`: the engine of the Auto Scaling groups, which decides in `capacity`;
- `state`: all that the API has been told, kept across restarts.
- `bounded`: what bounds a request and the daemon; `host` and `memory`: how much this machine carries.
`request_hooks`, `moto_hooks`, `elb_hooks` and `autoscaling_hooks` alone reach into moto; `balanced` and `surroundings`
read it.
How it differs from AWS: docs/local-cloud.md.
"""
