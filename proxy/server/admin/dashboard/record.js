// What the page needs of a record. Every member of one is looked up here and nowhere else.

export function read(record) {
  const request = record.request ?? {};
  const response = record.response ?? {};
  const decision = record.decision ?? {};
  const reasons = decision.reasons ?? [];
  const exchange = {
    id: record.id,
    at: seconds(record.time),
    client: record.client,
    method: request.method ?? "",
    target: request.target ?? firstLine(record.raw),
    status: response.status ? `${response.status}` : "",
    outcome: decision.outcome ?? null,
    reason: reasons[0]?.slug ?? "",
    reasons,
    until: seconds(decision.until),
    ttl: decision.ttl_seconds ?? null,
    stored: decision.stored ?? null,
    collapsed: decision.collapsed ?? null,
    forward: decision.forward ?? null,
    forwardStatus: decision.forward_status ?? null,
    authority: request.authority ?? null,
    request: request.fields ?? [],
    response: response.fields ?? [],
    received: request.content_bytes ?? null,
    sent: response.content_bytes ?? null,
    digest: response.digest ?? null,
    complete: response.complete ?? true,
    upstream: record.upstream ?? null,
    firstByte: record.first_byte_seconds ?? null,
    took: record.duration_seconds ?? null,
    error: record.error ?? null,
    raw: record.raw ?? null,
  };
  exchange.broken = !exchange.complete || exchange.outcome === "failed";
  exchange.text = [exchange.method, exchange.target, exchange.status, exchange.client, ...reasons.map(({ slug }) => slug)]
    .join(" ").toLowerCase();
  return exchange;
}

function seconds(moment) {
  return moment ? Date.parse(moment) / 1000 : null;
}

function firstLine(raw) {
  return (raw ?? "").split("\n", 1)[0];
}
