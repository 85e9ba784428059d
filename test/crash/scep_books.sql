-- Read by scep_crashloop.sh in its folder: what the sandbox, the agent's store and the devices have written down,
-- held against each other.  Every row of `broken` breaks a promise.

-- ---- the books ---------------------------------------------------------------------------------------------
create temp table line as
    select key as n, value as v from json_each('[' || replace(trim(cast(readfile('ledger.jsonl') as text), char(10)),
        char(10), ',') || ']');
create temp table book as
    select n, json_extract(v, '$.t') as t, json_extract(v, '$.event') as event, json_extract(v, '$.cn') as cn,
        json_extract(v, '$.serial') as serial, json_extract(v, '$.csrSha256') as csr,
        upper(json_extract(v, '$.spkiSha256')) as spki, json_extract(v, '$.challengeId') as challenge,
        json_extract(v, '$.code') as code, v
    from line;
create index book_event on book (event, csr);
create temp table csr_key as select distinct csr, spki from book where event = 'csr-received';
create temp table issued as select serial, spki, cn, n from book where event = 'issued';
create temp table told as select * from book where event = 'scep-success' and code = 'Success';

create temp table enrolment (tag text primary key, cn, kind, party);
create temp table request_of (tag text primary key, csr);
create temp table spent (id);
create temp table retried (id);
create temp table asked (tag, began integer, t integer, answer, serial);
.mode tabs
.import enrolments enrolment
.import csrs request_of
.import spent spent
.import retried retried
.import asked asked

create temp table orphan as
    select json_extract(value, '$.serialNumber') as serial, upper(json_extract(value, '$.publicKeySha256')) as spki
    from json_each(cast(readfile('orphans.json') as text), '$.data.orphans');
create temp table kept as
    select json_extract(value, '$.id') as id, json_extract(value, '$.state') as state,
        json_extract(value, '$.serialNumber') as serial, json_extract(value, '$.submissions') as submissions,
        substr(json_extract(value, '$.subject'), 4) as cn
    from json_each(cast(readfile('requests.json') as text), '$.data.requests');
create temp table got as select distinct tag, serial from asked where answer = 'SUCCESS';

-- ---- the promises ------------------------------------------------------------------------------------------
create temp table broken (promise, what);
insert into broken
    select 'one key: a challenge came to the CA with several requests',
        'challenge ' || challenge || ': ' || group_concat(distinct csr)
        from book where event = 'scep-validate' and csr in (select csr from csr_key)
        group by challenge having count(distinct csr) > 1;
insert into broken
    select 'one certificate: a challenge was reported with several', 'challenge ' || challenge || ': '
        || group_concat(distinct serial)
        from told group by challenge having count(distinct serial) > 1;
insert into broken
    select 'one certificate: several devices of a challenge have one', party || ': ' || group_concat(distinct tag)
        from got join enrolment using (tag) group by party having count(distinct tag) > 1;
insert into broken
    select 'spent: a certificate was given for a challenge that may serve again', tag || ': ' || got.serial
        from got join enrolment using (tag) join kept using (serial)
        where kind <> 'renewal' and id not in (select id from spent);
insert into broken
    select 'the same again: a request has had several certificates', tag || ': ' || group_concat(serial)
        from got group by tag having count(*) > 1;
insert into broken
    select 'told first: a certificate was given away before Intune had noted it',
        tag || ': ' || serial || ' at ' || min(asked.t)
        from asked join enrolment using (tag) where answer = 'SUCCESS' and kind <> 'renewal'
        and not exists (select 1 from told where told.serial = asked.serial and told.t <= asked.t)
        group by tag;
insert into broken
    select 'its own: a device has a certificate that the CA has issued for another key', tag || ': ' || got.serial
        from got where not exists (select 1 from request_of r join csr_key using (csr)
            join issued on issued.spki = csr_key.spki where r.tag = got.tag and issued.serial = got.serial);
insert into broken
    select 'nothing lost: issued, not delivered, and not listed', cn || ': ' || issued.serial
        from issued where serial not in (select serial from got)
        and not exists (select 1 from orphan where orphan.serial = issued.serial
            or (orphan.serial is null and orphan.spki = issued.spki));
insert into broken
    select 'nothing lost: delivered, and listed as an orphan', serial
        from orphan where serial in (select serial from got);
insert into broken
    select 'on record: more certificates than submissions', tag || ': ' || got.serial || ': ' || count(*) || ' of ' || submissions
        from got join kept using (serial) join issued i on i.serial = got.serial join issued o on o.spki = i.spki
        where kept.id not in (select id from retried) -- by hand, which begins the count anew
        group by got.tag, kept.id having count(*) > submissions;
insert into broken
    select 'on record: the store does not know a certificate as delivered', tag || ': ' || got.serial
        from got where serial not in (select serial from kept where state = 'delivered');
insert into broken
    select 'nobody stranded: asked to the end and has no certificate', party || ' (' || kind || ')'
        from enrolment where party not in (select party from enrolment join got using (tag)) group by party;
insert into broken
    select 'nobody refused: nothing was wrong with it', tag || ' (' || kind || ') at ' || min(t)
        from asked join enrolment using (tag) where answer = 'FAILURE' and kind <> 'thieves' group by tag;
insert into broken
    select 'no failure: Intune was told of one', v from book where event = 'scep-failure';
insert into broken
    select 'well spoken: the stand-in found a message wrong', v from book where event = 'refused';
insert into broken
    select 'nothing open: a request has not ended, or ended without a certificate', id || ': ' || state
        from kept where state <> 'delivered'
        and not (state = 'rejected' and cn in (select cn from enrolment where kind = 'thieves'));

-- ---- the numbers -------------------------------------------------------------------------------------------
.mode list
.output broken
select promise || ': ' || what from broken;
.output numbers
select (select count(distinct party) from enrolment) || ' devices, ' || (select count(*) from asked) || ' questions: '
    || (select count(*) from asked where answer = 'SUCCESS') || ' certificates given for '
    || (select count(*) from got) || ', ' || (select count(*) from asked where answer = 'PENDING') || ' to poll, '
    || (select count(*) from asked where answer = 'FAILURE') || ' thieves refused, '
    || (select count(*) from asked where answer = 'FORGOTTEN') || ' polls forgotten, '
    || (select count(*) from asked where answer = 'NOTHING') || ' without an answer';
select (select count(*) from issued) || ' certificates, ' || (select count(*) from issued where serial not in
    (select serial from got)) || ' not delivered; ' || (select count(*) from orphan) || ' orphans listed, '
    || (select count(*) from book where event = 'fault' and v not like '%"delay"%') || ' faults';
.output
