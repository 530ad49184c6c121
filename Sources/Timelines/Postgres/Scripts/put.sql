-- Stores pushes with different ids: 0 accepted, 1 replaced, 2 parked behind one in flight, 5 parked in the place of another.
create or replace function store(_items item[], _now bigint, _steady bigint)
returns table (n integer, outcome smallint) language plpgsql as $$
#variable_conflict use_column
begin
    perform land_ended(array(select i.id from unnest(_items) as i), _steady);
    return query
    with numbered as materialized (
        select i.*, greatest(i.due, _now) as base from unnest(_items) as i
    ), drafts as materialized (
        select
            i.id, i.seq, i.account, i.person, t.due, t.due as asked, _now as accepted, i.expires, i.band, 0 as attempt, i.channel,
            i.mode, i.key, i.grace, i.wait, i.payload,
            case when i.mode > 0 then i.base end as first, case when i.mode > 0 then i.base end as last,
            false as joinable, cast('{}' as bytea[]) as collected,
            cast(null as bigint) as generation, cast(null as text) as owner, cast(null as bigint) as lease, false as cancelled
        from numbered as i
        -- Alone, a push that may merge waits for its grace.
        cross join lateral (select case when i.mode > 0 then i.base + least(i.grace, i.wait) else i.due end as due) as t
    ), kept as (
        -- By id: two calls that share ids wait for each other, never both.
        insert into pushes as p select * from drafts order by id
        on conflict (id) do update set (
            id, seq, account, person, due, asked, accepted, expires, band, attempt, channel, mode, key, grace, wait, payload,
            first, last, joinable, collected, generation, owner, lease, cancelled
        ) = row(excluded.*)
        where p.generation is null
        -- An updated row carries the mark of the lock that was needed to find it.
        returning p.id, p.xmax = 0 as is_new
    ), behind as (
        insert into parked as p select * from drafts where id not in (select k.id from kept as k) order by id
        on conflict (id) do update set (
            id, seq, account, person, due, asked, accepted, expires, band, attempt, channel, mode, key, grace, wait, payload,
            first, last, joinable, collected, generation, owner, lease, cancelled
        ) = row(excluded.*)
        returning p.id, p.xmax = 0 as is_new
    )
    select i.n, cast(case when k.is_new then 0 when not k.is_new then 1 when b.is_new then 2 else 5 end as smallint)
    from numbered as i left join kept as k on k.id = i.id left join behind as b on b.id = i.id;
end $$;

-- Lets a push join the group that waits for its like, if there is one and the push is not due too late: the head takes its content.
create or replace function join_group(_item item, _now bigint, _steady bigint) returns boolean language plpgsql as $$
#variable_conflict use_column
declare
    head pushes;
    begins bigint;
    ends bigint;
    due_then bigint;
begin
    perform land_ended(array[_item.id], _steady);
    if exists (select from pushes as p where p.id = _item.id) then return false; end if;
    select p.* into head from pushes as p
    where p.joinable and p.account = _item.account and p.person = _item.person and p.key = _item.key
    for update;
    if not found then return false; end if;
    begins := least(head.first, greatest(_item.due, _now));
    ends := greatest(head.last, greatest(_item.due, _now));
    if ends > begins + _item.wait then return false; end if;
    due_then := least(begins + _item.wait, ends + _item.grace);
    update pushes set
        seq = _item.seq, due = due_then, asked = due_then, accepted = _now, expires = _item.expires, band = _item.band,
        channel = _item.channel, mode = _item.mode, grace = _item.grace, wait = _item.wait, payload = _item.payload,
        first = begins, last = ends,
        collected = case
            when _item.mode <> 2 then '{}'
            when cardinality(collected) < 15 then array_append(collected, payload)
            else collected
        end
    where id = head.id;
    return true;
end $$;

-- From now on pushes of its key join this one, no other.
create or replace function lead_group(_item item) returns void language plpgsql as $$
begin
    update pushes as p set joinable = false
    where p.joinable and p.account = _item.account and p.person = _item.person and p.key = _item.key;
    update pushes as p set joinable = true where p.id = _item.id and p.generation is null;
end $$;

-- Accepts pushes: 3 is merged; otherwise as store says.
create or replace function put_items(_items item[], _now bigint, _steady bigint)
returns table (n integer, outcome smallint) language plpgsql as $$
#variable_conflict use_column
declare
    merging text[] := array(select i.id from unnest(_items) as i where i.mode > 0);
    one item;
begin
    return query select p.* from put_plain(
        array(select i from unnest(_items) as i where not i.id = any(merging)), _now, _steady
    ) as p;
    if merging = '{}' then return; end if;
    -- One by one: each may join those before. Recipient by recipient, so that two calls that meet wait for each other, never both.
    for one in
        select s.* from (
            select i.*, first_value(i.account) over w as home, first_value(i.person) over w as whose
            from unnest(_items) as i where i.id = any(merging)
            window w as (partition by i.id order by i.n)
        ) as s
        order by s.home, s.whose, s.n
    loop
        n := one.n;
        if one.mode > 0 and join_group(one, _now, _steady) then
            outcome := 3;
        else
            select k.outcome into outcome from store(array[one], _now, _steady) as k;
            if one.mode > 0 and outcome not in (2, 5) then perform lead_group(one); end if;
        end if;
        return next;
    end loop;
end $$;

-- Accepts pushes that merge with none, at once. Of several versions of an id the last one stays; those after the first have replaced, or
-- are parked, too.
create or replace function put_plain(_items item[], _now bigint, _steady bigint)
returns table (n integer, outcome smallint) language plpgsql as $$
#variable_conflict use_column
declare
    newest item[] := _items;
begin
    if _items = '{}' then return; end if;
    if exists (select from unnest(_items) as i group by i.id having count(*) > 1) then
        newest := array(
            select i from unnest(_items) as i where i.n in (select max(o.n) from unnest(_items) as o group by o.id)
        );
    end if;
    return query
    with stored as materialized (
        select k.outcome, l.id from store(newest, _now, _steady) as k join unnest(newest) as l on l.n = k.n
    ), said as (
        select i.n, i.id, row_number() over (partition by i.id order by i.n) as nth from unnest(_items) as i
    )
    select s.n, case when s.nth = 1 then d.outcome else cast(case when d.outcome in (2, 5) then 5 else 1 end as smallint) end
    from said as s join stored as d on d.id = s.id;
end $$;

-- Pushes from one array a column, numbered in the order of acceptance.
create or replace function items(
    _ids text[], _accounts text[], _persons text[], _dues bigint[], _expires bigint[], _bands smallint[], _channels text[],
    _modes smallint[], _keys text[], _graces bigint[], _waits bigint[], _payloads bytea[]
) returns item[] language sql volatile as $$
    select array(
        select cast(row(u.n, nextval('acceptance'), u.id, u.account, u.person, u.due, u.expires, u.band, u.channel, u.mode, u.key, u.grace, u.wait, u.payload) as item)
        from unnest(_ids, _accounts, _persons, _dues, _expires, _bands, _channels, _modes, _keys, _graces, _waits, _payloads)
            with ordinality as u (id, account, person, due, expires, band, channel, mode, key, grace, wait, payload, n)
        order by u.n
    )
$$;

-- Accepts a batch. 4: due more than the horizon ahead, not accepted. Before and next: when the next look was worth while, and is now; before is null where others should
-- hear of something in any case.
create or replace function put(
    _given bigint, _passed bigint, _horizon bigint,
    _ids text[], _accounts text[], _persons text[], _dues bigint[], _expires bigint[], _bands smallint[], _channels text[],
    _modes smallint[], _keys text[], _graces bigint[], _waits bigint[], _payloads bytea[],
    out outcomes smallint[], out before bigint, out now bigint, out passed bigint, out next bigint
) language plpgsql as $$
declare
    taken item[];
    heads bigint[];
begin
    now := wall(_given);
    passed := steady(_passed, now);
    before := next_due(now, passed);
    -- A push that waits in a band which somebody defers must not hide one in another.
    heads := array(
        select (select p.due from pushes as p where p.generation is null and p.band = b.band order by p.due limit 1)
        from (values (0), (1), (2), (3)) as b (band) order by b.band
    );
    if exists (
        select from unnest(_dues, _bands) as d (due, band) where d.due < coalesce(heads[d.band + 1], 9223372036854775807)
    ) then
        before := null;
    end if;
    taken := items(_ids, _accounts, _persons, _dues, _expires, _bands, _channels, _modes, _keys, _graces, _waits, _payloads);
    if exists (select from unnest(_dues) as d (due) where d.due > now + _horizon) then
        taken := array(select i from unnest(taken) as i where i.due <= now + _horizon order by i.n);
    end if;
    outcomes := array(
        select coalesce(k.outcome, cast(4 as smallint))
        from generate_series(1, cardinality(_ids)) as s (n)
        left join put_items(taken, now, passed) as k on k.n = s.n
        order by s.n
    );
    next := next_due(now, passed);
end $$;
