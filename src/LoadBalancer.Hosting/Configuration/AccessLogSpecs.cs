using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptor of <see cref="AccessLogConfig"/>.</summary>
internal static class AccessLogSpecs
{
    internal static readonly ObjectSpec<AccessLogConfig> AccessLog = new(
        "accessLog", "What is written of each request, and where. A plain string is its \"path\".", () => new AccessLogConfig(),
        new FieldSpec<AccessLogConfig, AccessLogFormat>("format", "\"json\": an object a line; \"combined\": as Apache and nginx write it; \"template\": by \"template\".",
            new ChoiceSpec<AccessLogFormat>(("json", AccessLogFormat.Json), ("combined", AccessLogFormat.Combined), ("template", AccessLogFormat.Template)), c => c.Format, (c, v) => c with { Format = v }),
        new FieldSpec<AccessLogConfig, string?>("template", "One line with variables in braces; \"{{\" is a brace.",
            new TextSpec(examples: ["{client} {method} {target} {status} {total_us}"])!, c => c.Template, (c, v) => c with { Template = v }),
        new FieldSpec<AccessLogConfig, string>("path", "\"stdout\", a file, \"syslog:/dev/log\", or \"syslog:127.0.0.1:514\" (UDP).",
            new TextSpec(examples: ["stdout", "/var/log/lb/access.log", "syslog:/dev/log"]), c => c.Path, (c, v) => c with { Path = v }) { OtherNames = ["file", "output"] },
        new FieldSpec<AccessLogConfig, long>("rotateSize", "Size from which the file is rotated. 0: never.", new SizeSpec(ConfigRanges.AccessLogRotateSize), c => c.RotateSize, (c, v) => c with { RotateSize = v }) { OtherNames = ["maxSize"] },
        new FieldSpec<AccessLogConfig, bool>("rotateDaily", "Whether the file is rotated when the day (UTC) changes.", new FlagSpec(), c => c.RotateDaily, (c, v) => c with { RotateDaily = v }) { OtherNames = ["daily"] },
        new FieldSpec<AccessLogConfig, int>("keep", "Rotated files that are kept.", new CountSpec(ConfigRanges.AccessLogKeep), c => c.Keep, (c, v) => c with { Keep = v }) { OtherNames = ["maxBackups"] },
        new FieldSpec<AccessLogConfig, int>("sampleOneIn", "One of so many requests is written.", new CountSpec(ConfigRanges.AccessLogSample), c => c.SampleOneIn, (c, v) => c with { SampleOneIn = v }) { OtherNames = ["sample", "sampling"] },
        new FieldSpec<AccessLogConfig, int>("statusMin", "Least status that is written; with \"slowerThan\" either is enough.", new CountSpec(ConfigRanges.AccessLogStatus), c => c.StatusMin, (c, v) => c with { StatusMin = v }),
        new FieldSpec<AccessLogConfig, TimeSpan>("slowerThan", "Least time that is written; with \"statusMin\" either is enough.", new DurationSpec(ConfigRanges.AccessLogTime), c => c.SlowerThan, (c, v) => c with { SlowerThan = v }),
        new FieldSpec<AccessLogConfig, IReadOnlyList<string>>("redact", "Query parameters and fields whose values are not written, beside token, password, key and the like, which never are.",
            new TextListSpec(new TextSpec(examples: ["email"])), c => c.Redact, (c, v) => c with { Redact = v }),
        new FieldSpec<AccessLogConfig, int>("bufferBytes", "What each loop may hold before it is written; what comes beyond is dropped and counted.",
            new SmallSizeSpec(ConfigRanges.AccessLogBuffer), c => c.BufferBytes, (c, v) => c with { BufferBytes = v }) { OtherNames = ["buffer"] })
    {
        FromText = text => new AccessLogConfig { Path = text },
    };
}
