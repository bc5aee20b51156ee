"""A durable broker for one machine, with the delivery semantics of Knative Eventing.

`broker.LocalBroker` is the whole; the other modules are its parts, each usable alone.
"""
