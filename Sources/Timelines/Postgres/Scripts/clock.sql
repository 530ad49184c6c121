-- The time: a caller's where one is given, otherwise this server's own.
create or replace function wall(_given bigint) returns bigint language sql volatile as $$
    select coalesce(_given, cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint))
$$;

-- Leases are counted on a clock that no wall clock moves: callers tell how much time has passed by their own monotonic clocks since they
-- last heard of it, and the farthest of them counts. Only whoever has not heard of it yet (null) goes by the wall clock.
create or replace function steady(_passed bigint, _now bigint) returns bigint language sql stable as $$
    select case
        when _passed is null then c.steady + greatest(0, _now - c.wall)
        else greatest(c.steady, _passed)
    end
    from clock as c
$$;

-- Writes the clocks down, now and then; whoever finds somebody else at it leaves it to them.
create or replace function tick(_steady bigint, _now bigint) returns void language sql as $$
    update clock set steady = _steady, wall = _now
    where ctid in (select c.ctid from clock as c where c.steady + 1000 <= _steady for update skip locked)
$$;

-- When the next push becomes due or the next lease ends; null with nothing pending.
create or replace function next_due(_now bigint, _steady bigint) returns bigint language sql stable as $$
    select least(
        (select p.due from pushes as p where p.generation is null and p.band = 0 order by p.due limit 1),
        (select p.due from pushes as p where p.generation is null and p.band = 1 order by p.due limit 1),
        (select p.due from pushes as p where p.generation is null and p.band = 2 order by p.due limit 1),
        (select p.due from pushes as p where p.generation is null and p.band = 3 order by p.due limit 1),
        (select p.lease from pushes as p where p.generation is not null order by p.lease limit 1) - _steady + _now
    )
$$;

-- The same for a claim to which pushes from this band on are due so much later.
create or replace function next_due(_now bigint, _steady bigint, _deferred integer, _longest bigint) returns bigint language sql stable as $$
    select least(
        (
            select min(h.due + case when h.band >= _deferred then _longest else 0 end)
            from (values (0), (1), (2), (3)) as b (band)
            cross join lateral (
                select p.due, b.band from pushes as p
                where p.generation is null and p.band = b.band
                order by p.due limit 1
            ) as h
        ),
        (select p.lease from pushes as p where p.generation is not null order by p.lease limit 1) - _steady + _now
    )
$$;
