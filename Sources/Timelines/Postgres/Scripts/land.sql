-- Ends claims of locked rows: a parked version takes its place, what was cancelled is gone, the rest is due again.
create or replace function land(_ids text[]) returns void language plpgsql as $$
#variable_conflict use_column
declare
    renewed text[];
begin
    if _ids = '{}' then return; end if;
    renewed := array(select k.id from parked as k where k.id = any(_ids));
    delete from pushes where id = any(_ids) and (cancelled or id = any(renewed));
    if renewed <> '{}' then
        with moved as (delete from parked where id = any(renewed) returning *)
        insert into pushes select * from moved order by id;
    end if;
    update pushes set generation = null, owner = null, lease = null where id = any(_ids) and generation is not null;
end $$;

-- Ends those claims among them whose lease is over.
create or replace function land_ended(_ids text[], _steady bigint) returns void language plpgsql as $$
begin
    perform land(array(
        select p.id from pushes as p
        where p.id = any(_ids) and p.generation is not null and p.lease <= _steady
        order by p.id for update
    ));
end $$;

-- Ends what is over, whoever held it; not all at once, so that no call takes long.
create or replace function reap(_steady bigint) returns void language plpgsql as $$
begin
    perform land(array(
        select p.id from pushes as p
        where p.generation is not null and p.lease <= _steady
        order by p.lease limit 1000 for update skip locked
    ));
end $$;

-- An owner that has come back: what it held is due again, or ends as was said meanwhile. Sums up what finished connections have counted.
-- Answers a number that no opening before has had.
create or replace function release(_owner text) returns bigint language plpgsql as $$
begin
    perform land(array(
        select p.id from pushes as p where p.generation is not null and p.owner = _owner order by p.id for update
    ));
    with old as (delete from tallies returning account, pending, flying)
    insert into tallies as t (account, slot, pending, flying)
    select account, 0, sum(pending), sum(flying) from old group by account
    having sum(pending) <> 0 or sum(flying) <> 0
    order by account;
    return nextval('acceptance');
end $$;
