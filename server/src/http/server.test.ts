import { request } from "node:http";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { AppError } from "#/kernel/errors.ts";

import { exchange, startHttp, statusesOf, type TestHttp } from "../../test/harness/http.ts";
import { StreamedBody } from "./body.ts";
import { haveTime } from "./wire.ts";

let http: TestHttp;
const waiting = Promise.withResolvers<void>();
const seen: { body: string; ip: string }[] = [];

beforeAll(async () => {
  http = await startHttp(
    (app) => {
      app.post("/echo", async (request) => {
        const body = Buffer.isBuffer(request.body) ? request.body.toString("latin1") : "";
        seen.push({ body, ip: request.ip });
        return { bytes: body.length };
      });
      app.post("/file", {
        onRequest: async (request) => {
          request.content = { accepts: ["ndjson"], bytesMax: 0, streamedBytesMax: 1_000 };
          haveTime(request.raw);
        },
        handler: async (request) => {
          let bytes = 0;
          if (request.body instanceof StreamedBody) for await (const chunk of request.body) bytes += chunk.length;
          return { bytes };
        },
      });
      app.get("/wait", async (request) => {
        waiting.resolve();
        await new Promise((resolve) => request.raw.once("close", resolve));
        return { late: true };
      });
      app.get("/fine", async () => ({ fine: true }));
      app.get("/things/:id", async () => ({ thing: true }));
      app.get("/bug", async () => {
        throw new Error("select secret from table at /srv/app/store.ts:12");
      });
      app.get("/down", async () => {
        throw Object.assign(new Error("terminating connection due to administrator command"), { code: "57P01" });
      });
      app.get("/own", async () => {
        throw new AppError(409, "conflict", "Endpoint is already paused");
      });
    },
    { limits: { headersMs: 400, requestMs: 700, bodyBytesMax: 1_000, lingerMs: 200 } },
  );
});
afterAll(() => http.close());

const post = (headers: string, body: string) =>
  `POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n\r\n${body}`;

describe("framing", () => {
  test.each([
    [
      "Content-Length beside Transfer-Encoding",
      "Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
      "0\r\n\r\nGET /fine HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "a transfer coding nobody knows",
      "Content-Type: application/json\r\nTransfer-Encoding: xchunked",
      "2\r\n{}\r\n0\r\n\r\n",
    ],
    [
      "a space before the colon",
      "Content-Type: application/json\r\nTransfer-Encoding : chunked",
      "2\r\n{}\r\n0\r\n\r\n",
    ],
    ["a NUL in a header", "Content-Type: application/json\r\nX-A: a\u0000b\r\nContent-Length: 2", "{}"],
  ])("400: %s is one refused request, never two", async (_name, headers, body) => {
    expect(statusesOf(await exchange(http.port, post(headers, body)))).toEqual([400]);
  });

  test("400: bare line feeds are no line ends", async () => {
    expect(statusesOf(await exchange(http.port, "GET /fine HTTP/1.1\nHost: a\n\n"))).toEqual([400]);
  });

  test("400: two Host headers, also equal ones", async () => {
    for (const second of ["a", "b"]) {
      const raw = await exchange(
        http.port,
        `GET /fine HTTP/1.1\r\nHost: a\r\nHost: ${second}\r\nConnection: close\r\n\r\n`,
      );
      expect(statusesOf(raw)).toEqual([400]);
      expect(raw).toContain("exactly one Host");
    }
  });

  test("400: no Host header", async () => {
    expect(statusesOf(await exchange(http.port, "GET /fine HTTP/1.1\r\nConnection: close\r\n\r\n"))).toEqual([400]);
  });

  test("431: headers over 16 kB", async () => {
    const raw = await exchange(http.port, `GET /fine HTTP/1.1\r\nHost: a\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(statusesOf(raw)).toEqual([431]);
  });

  test("413: a chunk extension of 20 kB", async () => {
    const headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked";
    const raw = await exchange(http.port, post(headers, `2;a=${"a".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`));
    expect(statusesOf(raw)).toEqual([413]);
  });

  test("400: a broken percent escape, without an echo of it in HTML", async () => {
    const raw = await exchange(http.port, "GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(statusesOf(raw)).toEqual([400]);
    expect(raw).toContain("application/problem+json");
  });

  test("408: headers that never end", async () => {
    expect(statusesOf(await exchange(http.port, "GET /fine HTTP/1.1\r\nHost: a\r\n"))).toEqual([408]);
  });

  test("408: a body that never ends", async () => {
    const raw = await exchange(
      http.port,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
    );
    expect(statusesOf(raw)).toEqual([408]);
  });
});

test("200: a file may take longer than other bodies", async () => {
  const headers = { "content-type": "application/x-ndjson", "transfer-encoding": "chunked" };
  const answer = await new Promise<string>((resolve, reject) => {
    const sending = request(`${http.url}/file`, { method: "POST", headers }, (response) => {
      response.setEncoding("utf8").once("data", (text: string) => resolve(`${response.statusCode} ${text}`));
    });
    sending.on("error", reject).write("{}\n");
    void systemClock.sleep(3_000).then(() => sending.end("{}\n"));
  });
  expect(answer).toBe('200 {"bytes":6}');
});

describe("bodies", () => {
  test("200: a chunked body arrives as it was sent", async () => {
    const headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked";
    expect(statusesOf(await exchange(http.port, post(headers, '3\r\n{"a\r\n3\r\n":1\r\n1\r\n}\r\n0\r\n\r\n')))).toEqual(
      [200],
    );
    expect(seen.at(-1)?.body).toBe('{"a":1}');
  });

  test.each([
    "application/json",
    "application/webhook+json",
    "application/json; charset=utf-8",
    'application/json;charset="utf-8"',
    "Application/JSON",
  ])("200: %s is JSON", async (type) => {
    const answer = await fetch(`${http.url}/echo`, { method: "POST", headers: { "content-type": type }, body: "{}" });
    expect(answer.status).toBe(200);
  });

  test.each([
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "nonsense",
  ])("415: %s", async (type) => {
    const answer = await fetch(`${http.url}/echo`, { method: "POST", headers: { "content-type": type }, body: "{}" });
    expect(answer.status).toBe(415);
  });

  test("415: a body without a content type", async () => {
    expect(statusesOf(await exchange(http.port, post("Content-Length: 2", "{}")))).toEqual([415]);
  });

  test.each(["gzip", "br", "identity, gzip"])(
    "415: Content-Encoding %s is refused before it is read",
    async (encoding) => {
      const headers = `Content-Type: application/json\r\nContent-Encoding: ${encoding}\r\nContent-Length: 900000`;
      expect(statusesOf(await exchange(http.port, post(headers, "")))).toEqual([415]);
    },
  );

  test("413: Content-Length over the limit is refused before a byte is read", async () => {
    expect(
      statusesOf(await exchange(http.port, post("Content-Type: application/json\r\nContent-Length: 1001", ""))),
    ).toEqual([413]);
  });

  test("413: a chunked body is refused at the first byte too many", async () => {
    const chunk = `1f5\r\n${"a".repeat(501)}\r\n`;
    const headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked";
    expect(statusesOf(await exchange(http.port, post(headers, chunk + chunk)))).toEqual([413]);
  });

  test("503: large bodies share a budget; small ones never feel it", async () => {
    const own = await startHttp(
      (app) => {
        app.post("/audio", async (request) => ({ bytes: (request.body as Buffer).length }));
      },
      { limits: { bodyBytesMax: 9_000_000, largeBodiesBytesMax: 3_000_000 } },
    );
    const send = async (size: number) => {
      const headers = { "content-type": "application/json" };
      return (await fetch(`${own.url}/audio`, { method: "POST", headers, body: new Uint8Array(size) })).status;
    };
    expect(await send(4_000_000)).toBe(200);
    expect(await send(4_000_001)).toBe(503);
    expect(await Promise.all(Array.from({ length: 8 }, () => send(1_000_000)))).toEqual(Array(8).fill(200));
    expect(await send(4_000_000)).toBe(200);
    await own.close();
  });

  test("413: a client that sends 64 MB reads the answer instead of a reset", async () => {
    const body = new Uint8Array(64_000_000);
    const answer = await fetch(`${http.url}/echo`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(answer.status).toBe(413);
  });
});

describe("methods and paths", () => {
  test.each(["PUT", "DELETE", "OPTIONS", "GET"])("405: %s on a path that takes POST names POST", async (method) => {
    const answer = await fetch(`${http.url}/echo`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST");
  });

  test("405: a path with a parameter is recognised too", async () => {
    const answer = await fetch(`${http.url}/things/17`, { method: "DELETE" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("405: X-HTTP-Method-Override changes nothing", async () => {
    const answer = await fetch(`${http.url}/echo`, { headers: { "x-http-method-override": "POST" } });
    expect(answer.status).toBe(405);
  });

  test("404: a path nobody knows", async () => {
    const answer = await fetch(`${http.url}/nothing`, {
      method: "POST",
      headers: { "content-type": "text/x" },
      body: "x",
    });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: "not_found", status: 404, instance: "/nothing" });
  });

  test("404: a parameter of 10 kB", async () => {
    expect((await fetch(`${http.url}/things/${"a".repeat(10_000)}`)).status).toBe(404);
  });
});

describe("answers", () => {
  test("500: a bug shows nothing of us but the request id, which the log has too", async () => {
    const answer = await fetch(`${http.url}/bug`);
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toMatch(/select|store|srv/);
    const { request_id: id, code } = JSON.parse(text);
    expect(code).toBe("internal");
    expect(http.lines.some((line) => line["request_id"] === id && line["msg"] === "request failed")).toBe(true);
  });

  test("503: a database that is gone asks to come again", async () => {
    const answer = await fetch(`${http.url}/down`);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await answer.text()).not.toContain("administrator");
  });

  test("409: an error of ours is a problem document with a page", async () => {
    const answer = await fetch(`${http.url}/own?token=hush`);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(await answer.json()).toEqual({
      type: "https://calls.example.com/docs/problems/conflict",
      title: "The state does not allow it",
      status: 409,
      detail: "Endpoint is already paused",
      instance: "/own",
      code: "conflict",
      request_id: answer.headers.get("x-request-id"),
    });
  });

  test("a request id of the caller is kept when it is safe, else replaced", async () => {
    const kept = await fetch(`${http.url}/fine`, { headers: { "x-request-id": "abc-123.DEF_4" } });
    expect(kept.headers.get("x-request-id")).toBe("abc-123.DEF_4");
    const replaced = await fetch(`${http.url}/fine`, { headers: { "x-request-id": "<script>" } });
    expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("every answer says nosniff and no-referrer", async () => {
    for (const path of ["/fine", "/nothing", "/bug"]) {
      const { headers } = await fetch(http.url + path);
      expect([headers.get("x-content-type-options"), headers.get("referrer-policy")]).toEqual([
        "nosniff",
        "no-referrer",
      ]);
    }
  });

  test("a request is one log line with its route, never its path or query", async () => {
    await fetch(`${http.url}/things/+15551234567?token=hush`, { headers: { "x-request-id": "one-line-0001" } });
    const lines = http.lines.filter((line) => line["request_id"] === "one-line-0001");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ msg: "request", method: "GET", route: "/things/:id", status: 200 });
    expect(JSON.stringify(http.lines)).not.toMatch(/15551234567|hush/);
  });

  test("a request that never became one, and one given up by its client, are one log line too", async () => {
    await exchange(
      http.port,
      "GET /%zz HTTP/1.1\r\nHost: a\r\nX-Request-Id: broken-path-1\r\nConnection: close\r\n\r\n",
    );
    const giveUp = new AbortController();
    const given = fetch(`${http.url}/wait`, { headers: { "x-request-id": "given-up-1" }, signal: giveUp.signal });
    await waiting.promise;
    giveUp.abort();
    await expect(given).rejects.toThrow("aborted");
    while (!http.lines.some((line) => line["request_id"] === "given-up-1")) await new Promise(setImmediate);
    const lines = http.lines.filter((line) => ["broken-path-1", "given-up-1"].includes(String(line["request_id"])));
    expect(lines.map((line) => [line["status"], line["route"]])).toEqual([
      [400, "none"],
      [499, "/wait"],
    ]);
  });

  test("X-Forwarded-For counts for nothing unless a proxy is trusted", async () => {
    await fetch(`${http.url}/echo`, { method: "POST", headers: { "x-forwarded-for": "203.0.113.9" } });
    expect(seen.at(-1)?.ip).toBe("127.0.0.1");
  });
});

describe("stopping", () => {
  test("a request in flight is answered, and the connection is closed after it", async () => {
    const released = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const own = await startHttp((app) => {
      app.get("/slow", async () => {
        started.resolve();
        await released.promise;
        return { done: true };
      });
    });
    const answer = exchange(own.port, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    await started.promise;
    const closed = own.close();
    released.resolve();
    expect(statusesOf(await answer)).toEqual([200]);
    await closed;
  });
});
