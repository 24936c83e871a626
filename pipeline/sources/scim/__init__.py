"""SCIM 2.0 endpoints (RFC 7643, RFC 7644): their users and groups, and changes to them."""
