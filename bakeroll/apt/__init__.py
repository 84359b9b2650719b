"""A signed apt repository in an object store, with no other state.

A publication reads the suite, adds one package and replaces the suite's `InRelease`. Everything that `InRelease`
refers to is named by its hash and never changes. So this one object is the commit: apt sees the suite before or after
a publication, never in between. `InRelease` is replaced only if it is still as it was read. Of two publications at
once, the second reads again and adds to the first one's result.

Nothing is written for clients older than apt 1.2 (2016), which do not know `Acquire-By-Hash`: a plain `Packages`
cannot be replaced together with its signature. There is no `Valid-Until`, because the repository would expire unless
something signed it again on a schedule. An image names exactly one version, so an index that somebody holds back
shows as a missing version.
"""
