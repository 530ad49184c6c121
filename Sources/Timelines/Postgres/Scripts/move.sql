-- Pending pushes that nobody holds, by id.
create or replace function page(_given bigint, _passed bigint, _after text, _limit integer)
returns table (
    id text, seq bigint, account text, person text, due bigint, asked bigint, accepted bigint, expires bigint, band smallint,
    attempt integer, channel text, mode smallint, key text, grace bigint, wait bigint, payload bytea, collected bytea[],
    first bigint, last bigint, joinable boolean
) language plpgsql as $$
#variable_conflict use_column
begin
    perform reap(steady(_passed, wall(_given)));
    return query
    select
        p.id, p.seq, p.account, p.person, p.due, p.asked, p.accepted, p.expires, p.band,
        p.attempt, p.channel, p.mode, p.key, p.grace, p.wait, p.payload, p.collected, p.first, p.last, p.joinable
    from pushes as p where p.id > _after and p.generation is null order by p.id limit _limit;
end $$;

-- Takes out pushes that are as they were read; answers which.
create or replace function withdraw(_ids text[], _seqs bigint[], _dues bigint[], _attempts integer[])
returns table (id text) language plpgsql as $$
#variable_conflict use_column
begin
    perform from pushes as p where p.id = any(_ids) order by p.id for update;
    return query
    delete from pushes as p
    using unnest(_ids, _seqs, _dues, _attempts) as u (id, seq, due, attempt)
    where p.id = u.id and p.seq = u.seq and p.due = u.due and p.attempt = u.attempt and p.generation is null
    returning p.id;
end $$;

-- Puts pushes in as they were elsewhere: 0 put in, 1 the id is pending here. What was collected comes with the place of whose it is.
create or replace function place(
    _given bigint, _passed bigint,
    _ids text[], _accounts text[], _persons text[], _dues bigint[], _expires bigint[], _bands smallint[], _channels text[],
    _modes smallint[], _keys text[], _graces bigint[], _waits bigint[], _payloads bytea[],
    _askeds bigint[], _accepteds bigint[], _attempts integer[], _firsts bigint[], _lasts bigint[], _opens smallint[],
    _owners integer[], _collected bytea[],
    out outcomes smallint[], out before bigint, out now bigint, out passed bigint, out next bigint
) language plpgsql as $$
declare
    placed text[];
begin
    now := wall(_given);
    passed := steady(_passed, now);
    before := next_due(now, passed);
    perform land_ended(_ids, passed);
    with given as (
        select i.*, e.asked, e.accepted, e.attempt, e.first, e.last,
            -- One a group leads it.
            e.is_open = 1 and 1 = row_number() over (partition by i.account, i.person, i.key, e.is_open order by i.n) as leads
        from unnest(items(_ids, _accounts, _persons, _dues, _expires, _bands, _channels, _modes, _keys, _graces, _waits, _payloads)) as i
        join unnest(_askeds, _accepteds, _attempts, _firsts, _lasts, _opens) with ordinality
            as e (asked, accepted, attempt, first, last, is_open, n) on e.n = i.n
    ), put_in as (
        insert into pushes as p (
            id, seq, account, person, due, asked, accepted, expires, band, attempt, channel, mode, key, grace, wait, payload,
            first, last, joinable, collected, cancelled
        )
        select
            g.id, g.seq, g.account, g.person, g.due, g.asked, g.accepted, g.expires, g.band, g.attempt, g.channel,
            g.mode, g.key, g.grace, g.wait, g.payload,
            case when g.mode > 0 then g.first end, case when g.mode > 0 then g.last end,
            g.mode > 0 and g.leads and not exists (
                select from pushes as q where q.joinable and q.account = g.account and q.person = g.person and q.key = g.key
            ),
            array(select c.payload from unnest(_owners, _collected) with ordinality as c (owner, payload, place) where c.owner = g.n order by c.place),
            false
        from given as g order by g.id
        on conflict (id) do nothing
        returning p.id
    )
    select coalesce(array_agg(k.id), '{}') into placed from put_in as k;
    outcomes := array(
        select cast(case when u.id = any(placed) then 0 else 1 end as smallint) from unnest(_ids) with ordinality as u (id, n) order by u.n
    );
    next := next_due(now, passed);
end $$;

-- Which of these groups a push waits in to be joined, by their places from 1 on.
create or replace function joinable(_accounts text[], _persons text[], _keys text[])
returns table (n bigint) language sql stable as $$
    select u.n from unnest(_accounts, _persons, _keys) with ordinality as u (account, person, key, n)
    where exists (
        select from pushes as p where p.joinable and p.account = u.account and p.person = u.person and p.key = u.key
    )
$$;
