-- Lends what is due, in the order of promise T7; to it, pushes of the band _deferred and of lower ones are due _longest later. The last row has no id, but says when
-- to look next.
create or replace function claim(
    _given bigint, _passed bigint, _limit integer, _length bigint, _owner text, _ageing bigint, _generation bigint,
    _deferred integer, _longest bigint
) returns table (
    now bigint, passed bigint, next bigint, generation bigint,
    id text, seq bigint, account text, person text, due bigint, asked bigint, accepted bigint, expires bigint, band smallint,
    attempt integer, channel text, mode smallint, key text, grace bigint, wait bigint, payload bytea, collected bytea[]
) language plpgsql as $$
#variable_conflict use_column
declare
    _now bigint := wall(_given);
    _steady bigint := steady(_passed, _now);
begin
    -- A claim that a crash undoes is due again, which is what a claim that a crash leaves is, too: no need to wait for the disk.
    perform set_config('synchronous_commit', 'off', true);
    perform tick(_steady, _now);
    perform reap(_steady);
    return query
    with ready as materialized (
        select r.*
        from (values (0), (1), (2), (3)) as b (band)
        cross join lateral (
            select p.id, p.band, p.due, p.seq from pushes as p
            where p.generation is null and p.band = b.band
                and p.due <= _now - case when b.band >= _deferred then _longest else 0 end
            order by p.due, p.seq limit _limit
            for update skip locked
        ) as r
    ), ranked as (
        -- What waits long enough moves up. A due time may be as old as numbers go.
        select r.id, r.due, r.seq, greatest(0, r.band - (_now - greatest(r.due, 0)) / _ageing) as rank from ready as r
    ), picked as materialized (
        select r.id, row_number() over (order by r.rank, r.due, r.seq) as place from ranked as r
        order by r.rank, r.due, r.seq limit _limit
    ), lent as (
        update pushes as p set
            generation = _generation + k.place, owner = _owner, lease = _steady + _length, joinable = false
        from picked as k where p.id = k.id
        returning p.*, k.place
    )
    select
        _now, _steady, cast(null as bigint), l.generation,
        l.id, l.seq, l.account, l.person, l.due, l.asked, l.accepted, l.expires, l.band,
        l.attempt, l.channel, l.mode, l.key, l.grace, l.wait, l.payload, l.collected
    from lent as l order by l.place;
    now := _now;
    passed := _steady;
    next := next_due(_now, _steady, _deferred, _longest);
    return next;
end $$;

-- By generation and id: 0 extended, 1 extended although a cancel or a newer version has come in; what is missing is stale.
create or replace function extend(_given bigint, _passed bigint, _length bigint, _ids text[], _generations bigint[])
returns table (token text, outcome smallint) language plpgsql as $$
#variable_conflict use_column
declare
    _now bigint := wall(_given);
    _steady bigint := steady(_passed, _now);
begin
    perform tick(_steady, _now);
    return query
    with held as materialized (
        select p.id from unnest(_ids, _generations) as u (id, generation)
        join pushes as p on p.id = u.id and p.generation = u.generation and p.lease > _steady
        order by p.id for update of p
    ), extended as (
        update pushes as p set lease = _steady + _length from held as h where p.id = h.id returning p.id, p.generation, p.cancelled
    )
    select e.generation || '/' || e.id, cast(case when e.cancelled or exists (select from parked as k where k.id = e.id) then 1 else 0 end as smallint)
    from extended as e;
end $$;
