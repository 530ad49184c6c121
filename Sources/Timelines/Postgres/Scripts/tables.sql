-- How pending pushes lie in PostgreSQL, format 1. All in one schema, which is the first in the search path; times are milliseconds since 1970.

create table meta (format integer not null, revision integer not null);

-- Time passed, by the monotonic clocks of those who use the schema, and the wall clock when that was written down.
create table clock (steady bigint not null, wall bigint not null);
insert into clock select t, t from cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint) as t;

-- The order of acceptance.
create sequence acceptance;

create table pushes (
    id text collate "C" primary key,
    seq bigint not null,
    account text collate "C" not null,
    person text collate "C" not null,
    due bigint not null,
    -- The due time it was scheduled with: a hold or a retry moves only the other.
    asked bigint not null,
    accepted bigint not null,
    -- The greatest number there is: never.
    expires bigint not null,
    band smallint not null,
    attempt integer not null,
    channel text collate "C" not null,
    -- The merge rule: mode 0 none, 1 newest, 2 collect.
    mode smallint not null,
    key text collate "C" not null,
    grace bigint not null,
    wait bigint not null,
    payload bytea not null,
    -- Of a group that merges: the earliest and the latest due time in it, and whether another push may join.
    first bigint,
    last bigint,
    joinable boolean not null,
    collected bytea[] not null,
    -- In flight: the fencing token, who holds it, until when by the steady clock, and whether a cancel has come in.
    generation bigint,
    owner text collate "C",
    lease bigint,
    cancelled boolean not null
) with (
    -- Rows live shortly: what they leave behind is cleared away early and without pauses.
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
create index pushes_due on pushes (band, due, seq) where generation is null;
create index pushes_lease on pushes (lease) where generation is not null;
create unique index pushes_group on pushes (account, person, key) where joinable;

-- The newest version of what is in flight, until its claim ends.
create table parked (like pushes, primary key (id));

-- How many are pending and in flight. Each connection counts in a row of its own, so that none waits for another; the sum counts.
create table tallies (
    account text collate "C" not null,
    slot integer not null,
    pending bigint not null,
    flying bigint not null,
    primary key (account, slot)
) with (fillfactor = 50);

-- A push that is put: its place in the call, and its number in the order of acceptance.
create type item as (
    n integer, seq bigint, id text, account text, person text, due bigint, expires bigint, band smallint, channel text,
    mode smallint, key text, grace bigint, wait bigint, payload bytea
);

-- A settlement whose token is valid; renewed: a newer version is parked.
create type ending as (n integer, id text, result smallint, due bigint, cancelled boolean, renewed boolean);

create function tally() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform tally(array_agg(account), array_agg(pending), array_agg(flying))
        from (select account, count(*) as pending, count(generation) as flying from born group by account) as changes;
    elsif tg_op = 'DELETE' then
        perform tally(array_agg(account), array_agg(-pending), array_agg(-flying))
        from (select account, count(*) as pending, count(generation) as flying from gone group by account) as changes;
    else
        perform tally(array_agg(account), array_agg(pending), array_agg(flying))
        from (
            select account, cast(sum(pending) as bigint) as pending, cast(sum(flying) as bigint) as flying
            from (
                select account, count(*) as pending, count(generation) as flying from born group by account
                union all
                select account, -count(*), -count(generation) from gone group by account
            ) as both_sides
            group by account
        ) as changes;
    end if;
    return null;
end $$;

create function tally(accounts text[], pendings bigint[], flyings bigint[]) returns void language plpgsql as $$
begin
    insert into tallies as t (account, slot, pending, flying)
    select c.account, 1 + pg_backend_pid() % 1024, c.pending, c.flying
    from unnest(accounts, pendings, flyings) as c (account, pending, flying)
    where c.pending <> 0 or c.flying <> 0
    order by c.account
    on conflict (account, slot) do update set pending = t.pending + excluded.pending, flying = t.flying + excluded.flying;
end $$;

create trigger tally_born after insert on pushes referencing new table as born for each statement execute function tally();
create trigger tally_gone after delete on pushes referencing old table as gone for each statement execute function tally();
create trigger tally_changed after update on pushes
referencing old table as gone new table as born for each statement execute function tally();
