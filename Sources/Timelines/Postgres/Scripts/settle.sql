-- 0 cancelled, 1 in flight and flagged, 3 that and what was parked behind it is gone; what is missing is gone.
create or replace function cancel(_given bigint, _passed bigint, _ids text[])
returns table (id text, outcome smallint) language plpgsql as $$
#variable_conflict use_column
declare
    unparked text[];
begin
    perform land_ended(_ids, steady(_passed, wall(_given)));
    perform from pushes as p where p.id = any(_ids) order by p.id for update;
    with gone as (delete from parked where id = any(_ids) returning id)
    select coalesce(array_agg(g.id), '{}') into unparked from gone as g;
    return query
    with ended as (
        delete from pushes as p where p.id = any(_ids) and p.generation is null returning p.id
    ), flagged as (
        update pushes as p set cancelled = true where p.id = any(_ids) and p.generation is not null returning p.id
    )
    select e.id, cast(0 as smallint) from ended as e union all
    select f.id, cast(case when f.id = any(unparked) then 3 else 1 end as smallint) from flagged as f;
end $$;

-- Ends claims: 0 settled, 1 settled although cancelled, 2 settled with a newer version that takes over, 3 stale. A result: 0 done, 1 retry,
-- 2 hold. Followers are the successors of all of them, each with the place of its settlement.
create or replace function settle(
    _given bigint, _passed bigint, _horizon bigint,
    _tokens text[], _generations bigint[], _results smallint[], _whens bigint[], _places integer[],
    _ids text[], _accounts text[], _persons text[], _dues bigint[], _expires bigint[], _bands smallint[], _channels text[],
    _modes smallint[], _keys text[], _graces bigint[], _waits bigint[], _payloads bytea[],
    out outcomes smallint[], out before bigint, out now bigint, out passed bigint, out next bigint
) language plpgsql as $$
declare
    ends ending[];
    followers item[];
begin
    now := wall(_given);
    passed := steady(_passed, now);
    if exists (select from unnest(_dues) as d (due) where d.due > now + _horizon) then
        raise exception 'a successor is due too far ahead' using errcode = 'BF001';
    end if;
    before := next_due(now, passed);
    ends := array(
        select cast(row(u.n, p.id, u.result, u.due, p.cancelled, false) as ending)
        from unnest(_tokens, _generations, _results, _whens) with ordinality as u (id, generation, result, due, n)
        join pushes as p on p.id = u.id and p.generation = u.generation and p.lease > passed
        order by p.id for update of p
    );
    -- The locks keep others from parking behind these.
    ends := array(
        select cast(row(e.n, e.id, e.result, e.due, e.cancelled, exists (select from parked as k where k.id = e.id)) as ending)
        from unnest(ends) as e
    );
    perform land(array(select e.id from unnest(ends) as e where e.renewed or e.cancelled));
    delete from pushes as p
    where p.id = any(array(select e.id from unnest(ends) as e where not e.renewed and not e.cancelled and e.result = 0));
    update pushes as p set
        due = e.due, attempt = least(65535, p.attempt + case when e.result = 1 then 1 else 0 end),
        generation = null, owner = null, lease = null
    from unnest(ends) as e
    where p.id = e.id and not e.renewed and not e.cancelled and e.result > 0;
    -- None follows what was cancelled; and a newer version beats a successor of the same id.
    followers := array(
        select f
        from unnest(items(_ids, _accounts, _persons, _dues, _expires, _bands, _channels, _modes, _keys, _graces, _waits, _payloads)) as f
        join unnest(ends) as e on e.n = _places[f.n]
        where not e.cancelled and (not e.renewed or f.id <> e.id)
        order by f.n
    );
    if followers <> '{}' then perform put_items(followers, now, passed); end if;
    outcomes := array(
        select cast(case when e.n is null then 3 when e.renewed then 2 when e.cancelled then 1 else 0 end as smallint)
        from generate_series(1, cardinality(_tokens)) as s (n) left join unnest(ends) as e on e.n = s.n
        order by s.n
    );
    next := next_due(now, passed);
end $$;
