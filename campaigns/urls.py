from campaigns.tracking import urls as tracking

app_name = "campaigns"
urlpatterns = [*tracking.urlpatterns]
