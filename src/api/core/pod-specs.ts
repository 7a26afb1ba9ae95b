/**
 * Pods come in numbers from one template, so their specs come in few versions: what is derived from a spec (its defaults,
 * errors, warnings, QoS class) is remembered for the specs seen last, by identity. The API server makes equal specs of new
 * pods one object, see docs/design/apiserver.md "One template, one spec".
 *
 * Each memory holds the specs themselves: doubling it doubles the memory that a client can pin with pods it then deletes.
 */
export const SPECS_MAX = 64;
