using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="RequestIdConfig"/>, <see cref="TracingConfig"/> and <see cref="BodyLogConfig"/>.</summary>
internal static class ObservationSpecs
{
    internal static readonly ObjectSpec<RequestIdConfig> RequestId = new(
        "requestId", "The field that carries a request's id to the destination, and back to the client. A plain string is its \"header\".", () => new RequestIdConfig(),
        new FieldSpec<RequestIdConfig, string>("header", "Name of the field.",
            new TextSpec(pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", examples: ["X-Request-Id", "X-Correlation-Id"]), c => c.Header, (c, v) => c with { Header = v }) { OtherNames = ["name", "field"] },
        new FieldSpec<RequestIdConfig, RequestIdAcceptance>("accept", "Whose ids are taken over: those of \"trusted\" proxies, \"always\" everybody's, or \"never\". Other requests get one of ours.",
            new ChoiceSpec<RequestIdAcceptance>(("trusted", RequestIdAcceptance.Trusted), ("always", RequestIdAcceptance.Always), ("never", RequestIdAcceptance.Never)),
            c => c.Accept, (c, v) => c with { Accept = v }),
        new FieldSpec<RequestIdConfig, bool>("respond", "Whether the client gets the id with the answer.", new FlagSpec(), c => c.Respond, (c, v) => c with { Respond = v }) { OtherNames = ["alwaysSetInResponse"] })
    {
        FromText = text => new RequestIdConfig { Header = text },
    };

    internal static readonly ObjectSpec<TracingConfig> Tracing = new(
        "tracing", "Traces of requests by OpenTelemetry (OTLP by HTTP). A plain string is its \"endpoint\".", () => new TracingConfig { Endpoint = "" },
        new FieldSpec<TracingConfig, string>("endpoint", "Where the collector takes traces; the path stands for itself, none is added.",
            new TextSpec(pattern: "^https?://.+$", examples: ["http://127.0.0.1:4318/v1/traces"]), c => c.Endpoint, (c, v) => c with { Endpoint = v }) { Secrecy = Secrecy.Credentials, IsRequired = true, OtherNames = ["url", "address", "collector"] },
        new FieldSpec<TracingConfig, double>("sampleRatio", "Share of the requests without a trace of their own that are traced; for others their trace's flag decides.",
            new RatioSpec(), c => c.SampleRatio, (c, v) => c with { SampleRatio = v }) { OtherNames = ["ratio", "sampling", "samplingRatio"] },
        new FieldSpec<TracingConfig, string>("serviceName", "What the balancer is called in traces.", new TextSpec(), c => c.ServiceName, (c, v) => c with { ServiceName = v }) { OtherNames = ["service", "name"] },
        new FieldSpec<TracingConfig, IReadOnlyDictionary<string, string>>("headers", "Fields sent with each export. Keep secrets out of the file: \"${OTLP_KEY}\" or \"@file:/path\".",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Headers, (c, v) => c with { Headers = v }) { Secrecy = Secrecy.All })
    {
        FromText = text => new TracingConfig { Endpoint = text },
    };

    internal static readonly ObjectSpec<BodyLogConfig> BodyLog = new(
        "logBody", "How much of the bodies stands in the access log: text only, without the values of secrets.", () => new BodyLogConfig(),
        new FieldSpec<BodyLogConfig, int>("requestBytes", "Bytes of a request's body, from its beginning. 0 for none.",
            new SmallSizeSpec(ConfigRanges.LoggedBodyBytes), c => c.RequestBytes, (c, v) => c with { RequestBytes = v }) { OtherNames = ["request"] },
        new FieldSpec<BodyLogConfig, int>("responseBytes", "Bytes of a response's body, from its beginning. 0 for none.",
            new SmallSizeSpec(ConfigRanges.LoggedBodyBytes), c => c.ResponseBytes, (c, v) => c with { ResponseBytes = v }) { OtherNames = ["response"] },
        new FieldSpec<BodyLogConfig, IReadOnlyList<string>>("redact", "Fields of JSON objects and forms whose values are not written, beside password, token, secret and the like, which never are.",
            new TextListSpec(new TextSpec(examples: ["email"])), c => c.Redact, (c, v) => c with { Redact = v }));
}
