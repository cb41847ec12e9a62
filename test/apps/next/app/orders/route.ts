// app/orders/route.ts
import { ids } from "../../lib/ids";

export async function POST() {
  return Response.json({ id: String(ids().nextId()) }, { status: 201 });
}
