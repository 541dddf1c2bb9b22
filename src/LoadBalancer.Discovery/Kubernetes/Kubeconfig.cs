using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Core.Tls;
using LoadBalancer.Discovery.Remote;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Yaml;

namespace LoadBalancer.Discovery.Kubernetes;

/// <summary>Reads the current context of a kubeconfig file. Programs that it would have us run for a token are not run.</summary>
internal static class Kubeconfig
{
    /// <exception cref="ApiException">It cannot be used.</exception>
    internal static KubernetesAccess Load(string path)
    {
        var limits = new JsonLimits();
        if (!WholeFile.TryRead(path, limits.BytesMax, out byte[]? content, out string error)) throw new ApiException($"{path} {error}");
        if (!YamlReader.TryConvert(content, limits, out byte[]? json, out int line, out error)) throw new ApiException($"{path}:{line} {error}");
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        JsonElement context = Named(root, "contexts", root.Text("current-context") ?? throw new ApiException($"{path} has no \"current-context\""), "context", path);
        JsonElement cluster = Named(root, "clusters", context.Text("cluster") ?? "", "cluster", path);
        JsonElement user = context.Text("user") is { } name ? Named(root, "users", name, "user", path) : default;
        if (user.Member("exec") is not null || user.Member("auth-provider") is not null)
            throw new ApiException($"{path}: the user's token comes from a program (\"exec\" or \"auth-provider\"), which is not run; use a token, a certificate or a service account");
        if (!Uri.TryCreate(cluster.Text("server")?.TrimEnd('/') + "/", UriKind.Absolute, out Uri? server) || server.Scheme != Uri.UriSchemeHttps && server.Scheme != Uri.UriSchemeHttp)
            throw new ApiException($"{path}: the cluster's \"server\" is no URL");

        X509Certificate2Collection? authorities = null;
        if (Content(cluster, "certificate-authority", folder, path) is { } ca && !TrustFile.TryParse(ca, out authorities, out error)) throw new ApiException($"{path}: \"certificate-authority\" {error}");
        ServerCertificate? certificate = null;
        if (Content(user, "client-certificate", folder, path) is { } shown)
        {
            byte[] key = Content(user, "client-key", folder, path) ?? throw new ApiException($"{path}: \"client-certificate\" has no \"client-key\"");
            if (!CertificateFile.TryParse(new CertificateConfig { File = "client-certificate", Key = "client-key" }, [shown, key], out certificate, out error)) throw new ApiException($"{path}: \"client-certificate\" {error}");
        }
        var tls = new ApiTls(cluster.Flag("insecure-skip-tls-verify") != true, authorities, cluster.Text("tls-server-name"), certificate?.Context);
        // As kubectl has it, the file is asked before the token.
        string? tokenFile = user.Text("tokenFile") is { } file ? Path.Combine(folder, file) : null;
        return new KubernetesAccess(server, tls, context.Text("namespace"), user.Text("token"), tokenFile);
    }

    // Lists of { "name": ..., KIND: { ... } }.
    private static JsonElement Named(JsonElement root, string list, string name, string kind, string path) =>
        root.Items(list).FirstOrDefault(item => item.Text("name") == name).Member(kind) ?? throw new ApiException($"{path} has no {kind} {CharacterText.Quote(name)}");

    // Either NAME-data, in base64, or NAME, a file.
    private static byte[]? Content(JsonElement owner, string name, string folder, string path)
    {
        if (owner.Member($"{name}-data") is not null) return owner.Bytes($"{name}-data") ?? throw new ApiException($"{path}: \"{name}-data\" is no base64");
        if (owner.Text(name) is not { } file) return null;
        const int BytesMax = 1024 * 1024;
        return WholeFile.TryRead(Path.Combine(folder, file), BytesMax, out byte[]? content, out string error) ? content : throw new ApiException($"{Path.Combine(folder, file)} {error}");
    }
}
