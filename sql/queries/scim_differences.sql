-- Where do SCIM and Sisense differ: accounts, status, e-mail, groups, and accounts without a role?
select scim_source, difference, source, subject, scim_value, rest_value, account_id, scim_id
from graph.scim_differences
order by scim_source, difference, source, subject, account_id, scim_id
