// Hourly means of a jar telemetry CSV by DuckDB, with one thread: the alternative that
// scripts/bench compares ingest | featurize with. Run where @duckdb/node-api is installed.
const { createRequire } = require("node:module");
const { DuckDBInstance } = createRequire(process.cwd() + "/")("@duckdb/node-api");

async function main([file, threads]) {
	const instance = await DuckDBInstance.create(":memory:", { threads });
	const connection = await instance.connect();
	const result = await connection.runAndReadAll(`
		SELECT battery_id, date_trunc('hour', ts) AS hour, count(*) AS n,
			avg(voltage_v) AS voltage_v, avg(temperature_c) AS temperature_c,
			avg(resistance_mohm) AS resistance_mohm
		FROM read_csv('${file}') GROUP BY ALL ORDER BY ALL`);
	console.log(result.getRows().length);
}

main(process.argv.slice(2)).catch((e) => {
	console.error(e.message);
	process.exit(1);
});
