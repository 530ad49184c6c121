create or replace function look(_given bigint, _passed bigint, out now bigint, out passed bigint, out next bigint) language plpgsql as $$
begin
    now := wall(_given);
    passed := steady(_passed, now);
    next := next_due(now, passed);
end $$;

-- Pending pushes: the newest version of each. State: 0 scheduled, 1 in flight, 2 being cancelled, 3 this one waits behind one in flight.
create or replace function find(_given bigint, _passed bigint, _ids text[])
returns table (
    state smallint,
    id text, seq bigint, account text, person text, due bigint, asked bigint, accepted bigint, expires bigint, band smallint,
    attempt integer, channel text, mode smallint, key text, grace bigint, wait bigint, payload bytea, collected bytea[]
) language plpgsql as $$
#variable_conflict use_column
begin
    perform land_ended(_ids, steady(_passed, wall(_given)));
    return query
    select
        cast(s.state as smallint),
        v.id, v.seq, v.account, v.person, v.due, v.asked, v.accepted, v.expires, v.band,
        v.attempt, v.channel, v.mode, v.key, v.grace, v.wait, v.payload, v.collected
    from (
        select p.id, case
            when exists (select from parked as k where k.id = p.id) then 3
            when p.generation is null then 0
            when p.cancelled then 2
            else 1
        end as state
        from pushes as p where p.id = any(_ids)
    ) as s
    cross join lateral (
        select * from parked as k where s.state = 3 and k.id = s.id
        union all
        select * from pushes as p where s.state <> 3 and p.id = s.id
    ) as v;
end $$;

create or replace function counts(_given bigint, _passed bigint)
returns table (account text, pending bigint, flying bigint) language plpgsql as $$
#variable_conflict use_column
begin
    perform reap(steady(_passed, wall(_given)));
    return query
    select t.account, cast(sum(t.pending) as bigint), cast(sum(t.flying) as bigint) from tallies as t group by t.account
    having sum(t.pending) > 0;
end $$;

create or replace function forecast(_from bigint, _to bigint, _width bigint)
returns table (bucket bigint, number bigint) language sql stable as $$
    select (f.due - _from) / _width, count(*)
    from (
        select p.due from (values (0), (1), (2), (3)) as b (band)
        join pushes as p on p.band = b.band and p.generation is null and p.due >= _from and p.due < _to
        union all
        select p.due from pushes as p where p.generation is not null and p.due >= _from and p.due < _to
    ) as f
    group by 1
$$;

-- Tells whoever listens that something is due earlier than all before. A hint that a crash loses is no loss.
create or replace function hint(_channel text, _due text) returns void language plpgsql as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    perform pg_notify(_channel, _due);
end $$;
