using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Core.Tls;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb cert</c></summary>
internal static class CertCommand
{
    private const int NamesShownMax = 3;

    internal static Command Create() => new ExplainedCommand("cert", "Shows the certificates of listeners, and has their files read again.", $"""
        Examples:
          lb cert list                       those a running balancer uses
          lb cert list --config edge.json    those in the files of a configuration; nothing has to run
          lb cert reload                     reads changed files now, rather than within some seconds

        Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
        Exit codes: 0 all can be used, 1 one has expired, is not valid yet, or stands broken in its files; also refused or nobody there; 2 wrong usage.
        """) { List(), Reload(), AdminAsk.Admin, AdminAsk.Json };

    private static Command List()
    {
        var config = new Option<string?>("--config", "-c") { Description = "Configuration file whose certificates are read instead of asking a running balancer", HelpName = "file" };
        var command = new Command("list", "Lists certificates with their names, and when they expire.") { config };
        command.Validators.Add(result =>
        {
            if (result.GetResult(config) is { Implicit: false } && result.GetResult(AdminAsk.Admin) is { Implicit: false }) result.AddError("'--config' and '--admin' were both given; expected one of them");
        });
        command.SetAction((parsed, cancellation) => parsed.GetValue(config) is { } path
            ? Task.FromResult(ReadFiles(path, parsed.GetValue(AdminAsk.Json)))
            : AdminAsk.SendAsync(parsed, "GET", "/certificates", null, Print, cancellation, Verdict));
        return command;
    }

    private static Command Reload()
    {
        var command = new Command("reload", "Has a running balancer read the files of its certificates now, and lists what it uses then.");
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "POST", "/certificates:reload", null, Print, cancellation, Verdict));
        return command;
    }

    private static int ReadFiles(string path, bool asJson)
    {
        ConfigReadResult result = ConfigFile.Load(path);
        foreach (ConfigDiagnostic problem in result.Problems) Console.Error.WriteLine(problem);
        if (result.Config is not { } config) return ExitCode.Problem;
        CertificateList list = CertificateList.Of(CertificateStore.Of(config, TimeProvider.System).View(), TimeProvider.System.GetUtcNow());
        if (asJson) Console.Out.WriteLine(JsonSerializer.Serialize(list, Readable.CertificateList));
        else Print(list);
        return Verdict(list);
    }

    // As the admin listener writes it.
    private static AdminJson Readable => new(new JsonSerializerOptions(AdminJson.Default.Options) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static CertificateList Parse(byte[] answer) => JsonSerializer.Deserialize(answer, AdminJson.Default.CertificateList) is { Certificates: not null } list ? list : throw new JsonException();

    private static int Verdict(byte[] answer) => Verdict(Parse(answer));

    private static int Verdict(CertificateList list) => list.Certificates.Any(certificate => certificate.IsBroken) ? ExitCode.Problem : ExitCode.Ok;

    private static void Print(byte[] answer) => Print(Parse(answer));

    private static void Print(CertificateList list)
    {
        if (list.Certificates.Count == 0)
        {
            Console.Out.WriteLine("No listener has a certificate.");
            return;
        }
        TextTable.Write([["NAMES", "LISTENERS", "EXPIRES", "DAYS", "STATE", "FILE"],
            .. list.Certificates.Select(c => new[]
            {
                c.Kind == "server" ? Names(c) : $"clients of {Names(c)}", string.Join(",", c.Listeners), c.ExpiresAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                ((int)Math.Floor(c.DaysLeft)).ToString(CultureInfo.InvariantCulture), State(c), c.File,
            })]);
        foreach (CertificateEntry certificate in list.Certificates)
            if (certificate.Problem is { } problem) Console.Error.WriteLine($"lb: {certificate.File} {problem}; in use is what was read at {certificate.LoadedAt:u}");
    }

    private static string Names(CertificateEntry certificate) =>
        string.Join(",", certificate.Names.Take(NamesShownMax)) + (certificate.Names.Count > NamesShownMax ? $",+{certificate.Names.Count - NamesShownMax}" : "");

    private static string State(CertificateEntry certificate) => certificate.Problem is not null ? "file broken" : certificate.State switch
    {
        "notYetValid" => "not yet valid",
        "expiresSoon" => "expires soon",
        "expiresVerySoon" => "EXPIRES VERY SOON",
        "expired" => "EXPIRED",
        _ => "valid",
    };
}
