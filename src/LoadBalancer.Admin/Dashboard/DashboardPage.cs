using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Admin.Routing;

namespace LoadBalancer.Admin.Dashboard;

/// <summary>
/// The page at <c>/</c>: one document without anything from elsewhere. It holds no data, so it needs no token; what it shows it asks for with the token that its user gives it, in a header that
/// no other site's page can send.
/// </summary>
internal static class DashboardPage
{
    private static readonly string s_style = Text("dashboard.css"), s_script = Text("dashboard.js");
    private static readonly byte[] s_page = Encoding.UTF8.GetBytes(Text("dashboard.html").Replace("/*style*/", s_style, StringComparison.Ordinal).Replace("/*script*/", s_script, StringComparison.Ordinal));

    // Nothing but exactly this style and script, and requests to where they came from.
    private static readonly string s_policy =
        $"default-src 'none'; style-src {HashOf(s_style)}; script-src {HashOf(s_script)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    internal static Task Get(AdminExchange exchange, CancellationToken aborted)
    {
        exchange.Response.AddField("Content-Type", "text/html; charset=utf-8");
        exchange.Response.AddField("Content-Security-Policy", s_policy);
        exchange.Response.AddField("X-Content-Type-Options", "nosniff");
        exchange.Response.AddField("Referrer-Policy", "no-referrer");
        exchange.Response.AddField("Cross-Origin-Opener-Policy", "same-origin");
        exchange.Response.AddField("Cross-Origin-Resource-Policy", "same-origin");
        s_page.CopyTo(exchange.Response.Body.GetSpan(s_page.Length));
        exchange.Response.Body.Advance(s_page.Length);
        return Task.CompletedTask;
    }

    private static string Text(string name) => Encoding.UTF8.GetString(Resource.Read(name)).ReplaceLineEndings("\n");

    private static string HashOf(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";
}
