-- Why does the query of who reaches an object return no rows?
-- $object: the object's id or its exact title
select
    case
        when exists (select 1 from graph.objects where object_id = $object or object_name = $object)
            then 'no active account reaches the object'
        when not exists (select 1 from graph.objects)
            then 'no dashboards, models or folders are known: they were not read, or there are none'
        else 'no dashboard, model or folder has this id or exact title: ' || $object
    end as reason
