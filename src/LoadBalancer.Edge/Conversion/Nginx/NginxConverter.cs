using System.Text;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>
/// Makes a configuration for lb of nginx's. A directive that something was made of is marked as used; at the end everything else is a finding, except for what only tunes nginx itself. So nothing is
/// left out in silence, whatever nginx learns next.
/// </summary>
internal sealed class NginxConverter
{
    // What lb does anyway, has no use for, or decides by itself.
    private static readonly HashSet<string> s_needless = new(StringComparer.Ordinal)
    {
        "user", "worker_processes", "worker_rlimit_nofile", "worker_cpu_affinity", "worker_priority", "worker_shutdown_timeout", "pid", "daemon", "master_process", "events", "error_log", "pcre_jit", "thread_pool",
        "sendfile", "sendfile_max_chunk", "tcp_nopush", "tcp_nodelay", "types", "types_hash_max_size", "types_hash_bucket_size", "server_names_hash_bucket_size", "server_names_hash_max_size",
        "variables_hash_max_size", "variables_hash_bucket_size", "map_hash_max_size", "map_hash_bucket_size", "reset_timedout_connection", "server_tokens", "default_type", "charset", "log_format", "aio",
        "client_body_buffer_size", "client_header_buffer_size", "client_body_temp_path", "proxy_buffer_size", "proxy_buffers", "proxy_busy_buffers_size", "proxy_buffering", "proxy_request_buffering",
        "proxy_temp_path", "proxy_max_temp_file_size", "proxy_temp_file_write_size", "proxy_http_version", "proxy_headers_hash_max_size", "proxy_headers_hash_bucket_size", "proxy_socket_keepalive",
        "proxy_ssl_session_reuse", "proxy_ssl_server_name", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path", "ssl_session_cache", "ssl_session_timeout", "ssl_session_tickets",
        "ssl_prefer_server_ciphers", "ssl_dhparam", "ssl_ecdh_curve", "ssl_buffer_size", "ssl_ciphers", "resolver", "resolver_timeout", "open_file_cache", "open_file_cache_valid", "open_file_cache_min_uses",
        "open_file_cache_errors", "log_not_found", "log_subrequest", "underscores_in_headers", "server_name_in_redirect", "port_in_redirect", "absolute_redirect", "merge_slashes", "keepalive_disable",
        "lingering_close", "lingering_time", "lingering_timeout", "preread_buffer_size", "proxy_cache_min_uses", "limit_req_log_level", "limit_conn_log_level",
    };

    private readonly List<ConversionFinding> _findings = [];
    private readonly DraftObject _config = new();

    /// <summary>Reads a file and what it includes, below its folder.</summary>
    internal static ConversionResult Convert(string path)
    {
        var converter = new NginxConverter();
        List<NginxDirective> main;
        try
        {
            main = NginxReader.Read(path, converter._findings);
        }
        catch (NginxSyntaxException e)
        {
            return ConversionResult.Unreadable(path, e.Line, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ConversionResult.Unreadable(path, 0, Hosting.Configuration.FileProblem.Describe(e, path));
        }
        return converter.Convert(main, Path.GetFileName(path));
    }

    private ConversionResult Convert(List<NginxDirective> main, string name)
    {
        // A file of sites-available has its servers at the top: taken as within http.
        bool isFragment = main.Exists(directive => directive.Name is "server" or "upstream");
        var mainScope = new NginxScope(main, null);
        _config.Child("listeners");
        _config.Child("routes");
        var clusters = new NginxClusters(Differs);
        if (isFragment) new NginxHttp(_config, clusters, Differs).Convert(main, mainScope);
        foreach (NginxDirective context in main.Where(directive => directive is { Name: "http" or "stream", Block: not null }))
        {
            context.IsUsed = true;
            var scope = new NginxScope(context.Block!, mainScope);
            if (context.Name == "http") new NginxHttp(_config, clusters, Differs).Convert(context.Block!, scope);
            else new NginxStream(_config, new NginxClusters(Differs, clusters), Differs).Convert(context.Block!, scope);
        }
        clusters.Clusters.CopyTo(_config.Child("clusters"));
        Left(main);

        _findings.Sort((a, b) => (a.File, a.Line).CompareTo((b.File, b.Line)));
        var text = new StringBuilder();
        text.Append("// Made by \"lb convert nginx\" of ").Append(DraftObject.Printable(name)).Append(". Check it: lb check\n");
        if (_findings.Count > 0) text.Append("// Left out, or not quite the same:\n");
        foreach (ConversionFinding finding in _findings) text.Append("//   ").Append(DraftObject.Printable(finding.ToString())).Append('\n');
        _config.Write(text);
        return new ConversionResult(text.Append('\n').ToString(), _findings);
    }

    private void Left(IEnumerable<NginxDirective> block)
    {
        foreach (NginxDirective directive in block)
        {
            if (directive.IsUsed)
            {
                if (directive.Block is not null) Left(directive.Block);
            }
            else if (!s_needless.Contains(directive.Name)) _findings.Add(new(directive.File, directive.Line, $"{directive}: {(directive.Name == "upstream" ? "nothing sends requests to it" : "left out")}"));
        }
    }

    private void Differs(NginxDirective directive, string text)
    {
        directive.IsUsed = true;
        var finding = new ConversionFinding(directive.File, directive.Line, $"{directive}: {text}");
        if (!_findings.Contains(finding)) _findings.Add(finding); // one that holds in many places is told of once
    }
}
