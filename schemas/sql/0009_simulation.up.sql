-- Simulations that people started from the dashboard: whose, what, and whether their rows
-- are gone. Not part of a run: it outlives them.
CREATE TABLE simulation (
	id @id@,
	run text NOT NULL UNIQUE,
	owner text NOT NULL, -- the machine and folder of the bridge that runs it
	site text NOT NULL,
	scenario text,
	parameters text,
	speed integer NOT NULL,
	started_by text NOT NULL,
	started bigint NOT NULL,
	stopped bigint, -- its rows were gone then
	message text
);
