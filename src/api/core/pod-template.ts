import type { V1PodTemplate } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { containerColumns, formatLabels, nameColumn, textColumn } from "../strategy/columns.ts";
import { mapField, plainStrategy, withGeneration } from "../strategy/strategy.ts";
import { podSpecWarnings } from "./pod-warnings.ts";
import { withTemplateDefaults } from "./template-defaults.ts";
import { validateTemplate } from "./template-validation.ts";

export type PodTemplate = V1PodTemplate;

export const PodTemplate: Kind<PodTemplate> = {
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/podtemplate/strategy.go */
export const podTemplateResource: Resource<PodTemplate> = {
  kind: PodTemplate,
  singular: "podtemplate",
  strategy: plainStrategy<PodTemplate>({
    withDefaults: (object) => mapField(object, "template", withTemplateDefaults),
    prepareForCreate: (object) => withGeneration(object, 1),
    prepareForUpdate: (object, old) => {
      const stored = old.metadata?.generation ?? 0;
      const isSame = equalSemantic(object.template, old.template);
      return withGeneration(object, isSame ? stored : stored + 1);
    },
    validate: ({ template = {} }) => validateTemplate(template, "template"),
    warnings: ({ template }, old) =>
      old !== undefined && equalSemantic(template, old.template)
        ? []
        : podSpecWarnings(template?.spec, "template.spec"),
  }),
  columns: [
    nameColumn(),
    ...containerColumns<PodTemplate>(({ template }) => template),
    textColumn("Pod Labels", "The labels of the template", ({ template }) =>
      formatLabels(template?.metadata?.labels),
    ),
  ],
};
