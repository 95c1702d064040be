from django.urls import path

from metrics.views import receipts, reports

app_name = "metrics"

urlpatterns = [
    path("metrics/", reports.overview, name="overview"),
    path("metrics/cohorts/", reports.cohorts, name="cohorts"),
    path("metrics/revenue/", reports.recurring, name="revenue"),
    path("metrics/books/", reports.managers, name="books"),
    path("metrics/health/", reports.health, name="health"),
    path("metrics/nps/", reports.nps, name="nps"),
    path("metrics/campaigns/<int:pk>/", reports.campaign_effect, name="campaign_effect"),
    path("metrics/receipt/<str:figure>/", receipts.receipt_page, name="receipt"),
]
