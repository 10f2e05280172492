"""The commands of a user, `rungs upload` and its kin: a client over HTTP that knows nothing of the server's insides.

It imports no other package of web, and nothing that a machine without the server's services would lack.
"""
