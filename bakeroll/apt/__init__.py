"""A signed apt repository in an object store, with no state anywhere else.

A publication reads the suite that is there, adds one package and swaps the suite's `InRelease`. Everything
that `InRelease` refers to is named by its hash and never changes, so that this one object is the whole
commit: apt sees the suite before or after a publication, never between. Two publications at once meet at that
object: it is replaced only as it was read, and who comes second reads again and adds to what the first made.

For clients older than apt 1.2 (2016), which know no `Acquire-By-Hash`, nothing is written: a plain
`Packages` could not be swapped together with its signature. There is no `Valid-Until`: it would have the
repository expire unless something signed it anew by the clock, and an image names the one version that it
wants, so that an index held back by somebody shows as that version's absence.
"""
