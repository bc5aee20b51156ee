-- The state store of one machine (functions/adapters/sqlite.py). Whoever changes anything here
-- counts _SCHEMA_VERSION up there: a file of an earlier version is emptied and made anew.

CREATE TABLE lease (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_s REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX lease_by_holder ON lease (holder);

CREATE TABLE done (
  job TEXT, generation INTEGER, task TEXT, PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
-- How many those are: nobody counts ten thousand of them with each that is added.
CREATE TABLE joined (
  job TEXT, generation INTEGER, tasks INTEGER NOT NULL, PRIMARY KEY (job, generation)
) WITHOUT ROWID;
CREATE TRIGGER task_done AFTER INSERT ON done BEGIN
  INSERT INTO joined VALUES (new.job, new.generation, 1)
    ON CONFLICT DO UPDATE SET tasks = tasks + 1;
END;

CREATE TABLE waiting (
  job TEXT, generation INTEGER, task TEXT, accelerator TEXT NOT NULL,
  tenant_priority INTEGER NOT NULL, tenant TEXT NOT NULL, priority INTEGER NOT NULL,
  rank INTEGER NOT NULL, length TEXT NOT NULL, PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
CREATE INDEX waiting_by_turn
  ON waiting (accelerator, tenant_priority, tenant, priority, job, rank, generation, task);

CREATE TABLE slot (
  job TEXT, generation INTEGER, task TEXT, accelerator TEXT NOT NULL,
  tenant_priority INTEGER NOT NULL, tenant TEXT NOT NULL, priority INTEGER NOT NULL,
  rank INTEGER NOT NULL, length TEXT NOT NULL, cause TEXT NOT NULL, granted_s REAL NOT NULL,
  expires_s REAL NOT NULL, turn INTEGER NOT NULL, PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
CREATE INDEX slot_by_expiry ON slot (accelerator, expires_s);
CREATE INDEX slot_by_cause ON slot (cause, accelerator);

-- Whose turn it is: of those with waiting tasks the highest priority, then the smallest `served`.
-- Each priority has a round of its own. Tenants stay, so that who comes back takes the place that
-- is theirs; jobs go when they are forgotten.
CREATE TABLE tenant_turn (
  accelerator TEXT, tenant_priority INTEGER, tenant TEXT, waiting INTEGER NOT NULL DEFAULT 0,
  served INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (accelerator, tenant_priority, tenant)
) WITHOUT ROWID;
CREATE INDEX tenant_by_turn ON tenant_turn (accelerator, tenant_priority DESC, served, tenant)
  WHERE waiting > 0;
CREATE TABLE job_turn (
  accelerator TEXT, tenant_priority INTEGER, tenant TEXT, priority INTEGER, job TEXT,
  waiting INTEGER NOT NULL DEFAULT 0, served INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (accelerator, tenant_priority, tenant, priority, job)
) WITHOUT ROWID;
CREATE INDEX job_by_turn
  ON job_turn (accelerator, tenant_priority, tenant, priority DESC, served, job)
  WHERE waiting > 0;
CREATE INDEX job_turn_by_job ON job_turn (job);
CREATE TABLE turn (number INTEGER NOT NULL);
INSERT INTO turn VALUES (0);

CREATE TRIGGER task_waits AFTER INSERT ON waiting BEGIN
  INSERT INTO tenant_turn (accelerator, tenant_priority, tenant, waiting)
    VALUES (new.accelerator, new.tenant_priority, new.tenant, 1)
    ON CONFLICT DO UPDATE SET waiting = waiting + 1;
  INSERT INTO job_turn (accelerator, tenant_priority, tenant, priority, job, waiting)
    VALUES (new.accelerator, new.tenant_priority, new.tenant, new.priority, new.job, 1)
    ON CONFLICT DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER task_waits_no_more AFTER DELETE ON waiting BEGIN
  UPDATE tenant_turn SET waiting = waiting - 1
    WHERE accelerator = old.accelerator AND tenant_priority = old.tenant_priority
      AND tenant = old.tenant;
  UPDATE job_turn SET waiting = waiting - 1
    WHERE accelerator = old.accelerator AND tenant_priority = old.tenant_priority
      AND tenant = old.tenant AND priority = old.priority AND job = old.job;
END;

CREATE TABLE progress (
  job TEXT, generation INTEGER, task TEXT, frames INTEGER NOT NULL,
  PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
