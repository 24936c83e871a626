-- Sources with SCIM users in the current build
select distinct source from staging.scim_users order by source
