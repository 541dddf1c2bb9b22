// YARP as its documentation has it, with the appsettings.json of the folder given by --contentRoot: what "lb convert yarp" is compared with.
WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication("Cookies").AddCookie();
builder.Services.AddAuthorizationBuilder().AddPolicy("nobody", policy => policy.RequireAssertion(_ => false));
builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));

WebApplication app = builder.Build();
app.UseAuthorization();
app.MapReverseProxy();
await app.RunAsync();
