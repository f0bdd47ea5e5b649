#include "web/audit.h"
#include "web/cell.h"

int audit_write(struct db *db, const struct audit *a, struct err *err)
{
	return db_write(db,
		DB_QUERY("INSERT INTO audit_log (ts, username, action, entity, "
			 "details, address) VALUES ($1, $2, $3, $4, $5, $6)",
			number(a->ts).text, a->actor, a->action, a->entity, a->details,
			a->address),
		NULL, err);
}
