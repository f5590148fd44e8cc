"""A bank for demonstrations and tests: it signs with its own code and calls over real HTTP.

It shares nothing with the payment service but the published standard and a client secret, so that
a mistake in one of them is not repeated by the other. Production never imports it.
"""
