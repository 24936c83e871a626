-- The id of a name as OSCAL requires it: RFC 9562, version 5, below the namespace of 'urn:sisense-access-review'
create or replace temp macro name_uuid(name) as list_transform(
    [sha1(unhex('2a8cc3a840ed5b9e92aca550942c7d3e') || encode(name))],
    lambda h: h[1:8] || '-' || h[9:12] || '-5' || h[14:16] || '-'
        || substr('89ab', (strpos('0123456789abcdef', h[17]) - 1) % 4 + 1, 1) || h[18:20] || '-' || h[21:32]
)[1]
