"""The task that makes what the toolkit needs in an account."""

from invoke.context import Context
from invoke.tasks import task


@task(help={"env": "the environment in deploy.yml", "dry-run": "show what the task would make, and make nothing"})
def init(context: Context, env: str = "", dry_run: bool = False) -> None:
    """Make the bucket and the table that the toolkit needs. You can run it again."""
    from bakeroll.tasks.site import open_site

    with open_site(env, is_first=True) as site:
        if dry_run or context.config.run.dry:
            environment = site.environment
            needed = f"bucket {environment.repository.bucket}, table {environment.table}"
            print(f"Would make in {site.where()}, if missing: {needed}.")
            return
        for sentence in site.provision():
            print(sentence)
