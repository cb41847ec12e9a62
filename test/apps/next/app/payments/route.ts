// app/payments/route.ts
import { memory } from "bitflake/backend";
import { idempotent } from "bitflake/idempotency";
import { ids } from "../../lib/ids";

const backend = memory(); // one process; Redis or PostgreSQL for several
const pay = async (request: Request) => {
  const { cents } = await request.json();
  return Response.json({ id: String(ids().nextId()), cents }, { status: 201 });
};
export const POST = idempotent(pay, { backend, name: "payments", tenant: () => "" });
