using System.Net;
using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Configuration;

/// <summary>What <see cref="AccessLogConfig"/> must hold.</summary>
internal static class AccessLogValidator
{
    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        if (config.AccessLog is not { } log) return;
        const string Path = "accessLog";
        bool isFile = log.Path != "stdout" && !log.Path.StartsWith("syslog:", StringComparison.Ordinal);
        if (log.Path.Length == 0) problems.Add($"{Path}.path", "is empty; expected \"stdout\", a file or \"syslog:/dev/log\"");
        if (!isFile && log.Path != "stdout" && log.Path["syslog:".Length..] is var target && !target.StartsWith('/') && (!IPEndPoint.TryParse(target, out IPEndPoint? end) || end.Port == 0))
            problems.Add($"{Path}.path", "is no syslog; expected \"syslog:/dev/log\" or an address with its port, \"syslog:127.0.0.1:514\"");
        if (log.Format == AccessLogFormat.Template)
        {
            if (log.Template is null) problems.Add($"{Path}.format", "needs a \"template\"");
            else if (AccessLogTemplate.Parse(log.Template, out string? problem) is null) problems.Add($"{Path}.template", problem!);
        }
        else if (log.Template is not null) problems.Add($"{Path}.template", "has no effect without \"format\": \"template\"");
        if (!isFile && (log.RotateSize > 0 || log.RotateDaily)) problems.Add($"{Path}.{(log.RotateSize > 0 ? "rotateSize" : "rotateDaily")}", "has no effect but on a file");
        if (log.Keep != new AccessLogConfig().Keep && !(isFile && (log.RotateSize > 0 || log.RotateDaily)))
            problems.Add($"{Path}.keep", isFile ? "has no effect without \"rotateSize\" or \"rotateDaily\"" : "has no effect but on a file");
        problems.Range(Path, "rotateSize", log.RotateSize, ConfigRanges.AccessLogRotateSize);
        problems.Range(Path, "keep", log.Keep, ConfigRanges.AccessLogKeep);
        problems.Range(Path, "sampleOneIn", log.SampleOneIn, ConfigRanges.AccessLogSample);
        problems.Range(Path, "statusMin", log.StatusMin, ConfigRanges.AccessLogStatus);
        problems.Range(Path, "slowerThan", log.SlowerThan, ConfigRanges.AccessLogTime);
        problems.Range(Path, "bufferBytes", log.BufferBytes, ConfigRanges.AccessLogBuffer);
    }
}
