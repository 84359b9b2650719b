"""The tasks: parse, call, print. A fabfile imports `namespace`, which holds all of them.

Heavy rooms are imported inside the tasks, so that `fab --list` is as fast as with an empty fabfile.
"""

import sys

from invoke.collection import Collection

from bakeroll.classic_command import rewrite
from bakeroll.tasks import account, local, releases, steering

namespace = Collection.from_module(releases)
for each in Collection.from_module(steering).tasks.values():
    namespace.add_task(each)
namespace.add_collection(Collection.from_module(account))
namespace.add_collection(Collection.from_module(local))

# If `fab` itself is running, rewrite its classic words before it parses them.
if fabric := sys.modules.get("fabric.main"):
    rewrite(fabric.program, {name: namespace[name] for name in namespace.task_names})

__all__ = ["namespace"]
