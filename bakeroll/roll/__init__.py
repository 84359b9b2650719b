"""Roll a fleet to a release: replace its instances behind their balancers without one failed request.

    observe   the whole world in a few batched calls (fleet.Fleet)
    decide    pure: the next actions, or what is awaited and why, or the end
    act       frozen verbs, each performed idempotently, each under the lease

and again, until done. What must outlive a crash is in the record, written before it is done; what need not
is the Memory, threaded through. `standing` reads both together. `lease` lets one roll at a time touch a
fleet; `status` tells what each instance does; `model` is the cloud in memory that rolls are rehearsed on.
"""
