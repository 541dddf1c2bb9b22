using System.Text.Json;
using LoadBalancer.Gateway.Validation;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="ValidateConfig"/>.</summary>
internal static class ValidationSpecs
{
    internal static readonly ObjectSpec<QueryParameterConfig> QueryParameter = new(
        "queryParameter", "What a parameter of the query must look like.", () => new QueryParameterConfig(),
        new FieldSpec<QueryParameterConfig, bool>("required", "Whether it must be there.",
            new FlagSpec(), c => c.Required, (c, v) => c with { Required = v }),
        new FieldSpec<QueryParameterConfig, string>("type", "What its text must be; \"array\" for one that may be there several times.",
            new TextSpec(choices: ["string", "integer", "number", "boolean", "array"]), c => c.Type, (c, v) => c with { Type = v }),
        new FieldSpec<QueryParameterConfig, string?>("pattern", "A regular expression (ECMA-262) that is found in it. Left out: any text.",
            new TextSpec(examples: ["^[a-z]+$"])!, c => c.Pattern, (c, v) => c with { Pattern = v }) { OtherNames = ["regex"] },
        new FieldSpec<QueryParameterConfig, IReadOnlyList<string>>("enum", "The values that it may have. Empty: any.",
            new TextListSpec(new TextSpec()), c => c.Enum, (c, v) => c with { Enum = v }) { OtherNames = ["values", "oneOf"] },
        new FieldSpec<QueryParameterConfig, string?>("min", "Smallest number. Left out: any.",
            new NumberTextSpec()!, c => c.Min, (c, v) => c with { Min = v }) { OtherNames = ["minimum"] },
        new FieldSpec<QueryParameterConfig, string?>("max", "Largest number. Left out: any.",
            new NumberTextSpec()!, c => c.Max, (c, v) => c with { Max = v }) { OtherNames = ["maximum"] },
        new FieldSpec<QueryParameterConfig, int>("lengthMax", "Most characters. 0: any number.",
            new CountSpec(ValidationRanges.LengthMax), c => c.LengthMax, (c, v) => c with { LengthMax = v }) { OtherNames = ["maxLength"] });

    internal static readonly ObjectSpec<ValidateConfig> Validate = new(
        "validatePolicy", "Holds requests against an OpenAPI document, or against a list of requirements. Files are watched; a broken edit keeps the last that was good.", () => new ValidateConfig(),
        new FieldSpec<ValidateConfig, string?>("openapi", "File of an OpenAPI document, 3.0 or 3.1, JSON or YAML; what it refers to is beside it. Left out: the requirements count.",
            new TextSpec(examples: ["api.yaml"])!, c => c.OpenApi, (c, v) => c with { OpenApi = v }) { OtherNames = ["spec", "apiSpec", "openApi", "swagger"] },
        new FieldSpec<ValidateConfig, string?>("basePath", "With \"openapi\": what all its paths begin with; \"/\" for nothing. Left out: what its servers say.",
            new TextSpec(examples: ["/api/v1"])!, c => c.BasePath, (c, v) => c with { BasePath = v }) { OtherNames = ["pathPrefix", "stripPrefix"] },
        new FieldSpec<ValidateConfig, IReadOnlyList<string>>("methods", "Methods that may come. Empty: any.",
            new TextListSpec(new TextSpec(examples: ["GET", "POST"])), c => c.Methods, (c, v) => c with { Methods = v }) { OtherNames = ["allowedMethods"] },
        new FieldSpec<ValidateConfig, IReadOnlyList<string>>("contentTypes", "Media types of bodies, or ranges of them. Empty: any; with \"body\" JSON.",
            new TextListSpec(new TextSpec(examples: ["application/json", "image/*"])), c => c.ContentTypes, (c, v) => c with { ContentTypes = v }) { OtherNames = ["allowedContentTypes", "consumes"] },
        new FieldSpec<ValidateConfig, IReadOnlyList<string>>("requiredHeaders", "Header fields that must be there.",
            new TextListSpec(new TextSpec(examples: ["X-Request-Id"])), c => c.RequiredHeaders, (c, v) => c with { RequiredHeaders = v }),
        new FieldSpec<ValidateConfig, IReadOnlyDictionary<string, QueryParameterConfig>>("query", "Query parameters by name.",
            new MapSpec<QueryParameterConfig>(QueryParameter, () => new QueryParameterConfig()), c => c.Query, (c, v) => c with { Query = v }) { OtherNames = ["queryParameters", "parameters", "parameterSchema"] },
        new FieldSpec<ValidateConfig, string?>("body", "File of a JSON Schema (2020-12, or draft 7 by its \"$schema\") for the bodies. Left out: bodies are not read.",
            new TextSpec(examples: ["order.schema.json"])!, c => c.Body, (c, v) => c with { Body = v }) { OtherNames = ["bodySchema", "schema", "jsonSchema"] },
        new FieldSpec<ValidateConfig, int>("bodyBytesMax", "Longest body, as it comes and decoded; a longer one gets 413.",
            new SmallSizeSpec(ValidationRanges.BodyBytesMax), c => c.BodyBytesMax, (c, v) => c with { BodyBytesMax = v }) { OtherNames = ["maxBodySize", "allowedPayloadSize", "clientMaxBodySize"] },
        new FieldSpec<ValidateConfig, ValidationMode>("mode", "What becomes of requests that are not valid: \"enforce\" refuses them, \"report\" lets them go on, and the log and a counter tell.",
            new ChoiceSpec<ValidationMode>(("enforce", ValidationMode.Enforce), ("report", ValidationMode.Report)), c => c.Mode, (c, v) => c with { Mode = v }) { OtherNames = ["action", "enforcement"] },
        new FieldSpec<ValidateConfig, ResponseValidation>("responses", "With \"openapi\": whether responses are held against it too. They always go on; \"report\" tells of those that are not as described.",
            new ChoiceSpec<ResponseValidation>(("off", ResponseValidation.Off), ("report", ResponseValidation.Report)), c => c.Responses, (c, v) => c with { Responses = v }) { OtherNames = ["validateResponses"] },
        new FieldSpec<ValidateConfig, UnknownQuery>("unknownQuery", "What becomes of query parameters that are not described.",
            new ChoiceSpec<UnknownQuery>(("allow", UnknownQuery.Allow), ("refuse", UnknownQuery.Refuse)), c => c.UnknownQuery, (c, v) => c with { UnknownQuery = v }) { OtherNames = ["additionalQuery"] },
        new FieldSpec<ValidateConfig, CompressedBodies>("compressed", "What becomes of compressed bodies that have a schema: \"decode\" looks at them decoded, \"refuse\" answers 415.",
            new ChoiceSpec<CompressedBodies>(("decode", CompressedBodies.Decode), ("refuse", CompressedBodies.Refuse)), c => c.Compressed, (c, v) => c with { Compressed = v }),
        new FieldSpec<ValidateConfig, bool>("formats", "Whether \"format\" is asserted: date-time, uuid, ipv4, email and others.",
            new FlagSpec(), c => c.Formats, (c, v) => c with { Formats = v }) { OtherNames = ["assertFormats", "validateFormats"] },
        new FieldSpec<ValidateConfig, bool>("allowDuplicateNames", "Whether an object in a body may name a property twice: of two readers one takes the first and one the last.",
            new FlagSpec(), c => c.AllowDuplicateNames, (c, v) => c with { AllowDuplicateNames = v }),
        new FieldSpec<ValidateConfig, int>("depthMax", "Most arrays and objects inside each other in a body.",
            new CountSpec(ValidationRanges.DepthMax), c => c.DepthMax, (c, v) => c with { DepthMax = v }) { OtherNames = ["maxDepth"] },
        new FieldSpec<ValidateConfig, int>("problemsMax", "Most problems that an answer names.",
            new CountSpec(ValidationRanges.ProblemsMax), c => c.ProblemsMax, (c, v) => c with { ProblemsMax = v }) { OtherNames = ["maxErrors"] },
        new FieldSpec<ValidateConfig, int>("stepsMax", "Most steps that one body may take to be checked; one that needs more is not valid.",
            new CountSpec(ValidationRanges.StepsMax), c => c.StepsMax, (c, v) => c with { StepsMax = v }),
        new FieldSpec<ValidateConfig, int>("invalidBodyStatus", "Status of the answer to a body that is not as its schema has it.",
            new CountSpec(new(400, 422), ValidationRanges.InvalidBodyStatuses), c => c.InvalidBodyStatus, (c, v) => c with { InvalidBodyStatus = v }) { OtherNames = ["rejectedCode", "errorCode", "status"] });

    /// <summary>A number as it is written, in the file as a number or as text.</summary>
    private sealed class NumberTextSpec : ScalarSpec<string>
    {
        private protected override string Expected => "a number";

        private protected override bool TryLiteral(ConfigNode node, out string value)
        {
            value = node.Text;
            return node.Kind == ConfigNodeKind.Number;
        }

        private protected override bool TryText(string text, bool isSubstituted, out string value, out string error)
        {
            error = "";
            value = text;
            return true;
        }

        internal override void WriteValue(Utf8JsonWriter json, string value) => json.WriteRawValue(value);

        internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(json => json.WriteString("type", "number"));
    }
}
