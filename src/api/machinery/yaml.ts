import { parse } from "yaml";
export const parseYaml = (text: string): unknown => parse(text) as unknown;
