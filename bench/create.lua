-- wrk script: `-- KIND NAMESPACE PREFIX TOKEN` creates ConfigMaps (cm) or Pods that nothing schedules (pod), one per request.
local thread = 0
function setup(t) t:set("id", thread); thread = thread + 1 end
function init(args) count = 0; kind = args[1]; namespace = args[2]; prefix = args[3]; token = args[4] end
function request()
  count = count + 1
  local name = prefix .. "-" .. id .. "-" .. count
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
  if kind == "cm" then
    return wrk.format("POST", "/api/v1/namespaces/" .. namespace .. "/configmaps", headers,
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' .. name .. '"},"data":{"a":"1","b":"2"}}')
  end
  return wrk.format("POST", "/api/v1/namespaces/" .. namespace .. "/pods", headers,
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"' .. name .. '","labels":{"app":"bench","tier":"web"}},"spec":{"schedulerName":"none",' ..
    '"containers":[{"name":"c","image":"nginx:1.25","ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"10m","memory":"16Mi"}},"env":[{"name":"A","value":"b"}]}]}}')
end
local refused = 0
function response(status, _, body)
  if status ~= 201 then refused = refused + 1; if refused < 3 then print(status, body) end end
end
