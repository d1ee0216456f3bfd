"""The HTTP application (网页接口), put together."""
