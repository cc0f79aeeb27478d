/** The server of the demo: the real one, which stops when the process that started it is gone. */
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
await import("../start.ts");
