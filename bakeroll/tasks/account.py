"""What the toolkit itself needs in an account."""

from invoke.context import Context
from invoke.tasks import task


@task(help={"env": "the environment of deploy.yml", "dry-run": "say what would be made, and make nothing"})
def init(context: Context, env: str = "", dry_run: bool = False) -> None:
    """Make the bucket and the table that the toolkit needs. Can be run again."""
    from bakeroll.tasks.site import opened

    with opened(env, is_first=True) as site:
        if dry_run or context.config.run.dry:
            environment = site.environment
            made = f"bucket {environment.repository.bucket}, table {environment.table}"
            print(f"Would make in {site.where()}, where missing: {made}.")
            return
        for sentence in site.provision():
            print(sentence)
